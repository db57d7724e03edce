// Walks the scenario with the types that openapi-typescript made, and openapi-fetch.
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./schema";
import { type Refusal, type Step, summary, walk } from "./steps";

type Schemas = components["schemas"];
type Parameters<Name extends keyof operations> = operations[Name]["parameters"];
type Answer = { data?: unknown; error?: unknown; response: Response };

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Refusal,
  ) {
    super();
  }
}

const OFFICE = "/codabox-connect/accounting-offices/{office}";
const DOCUMENT = `${OFFICE}/clients/{client}/{kind}/{document}` as const;
const CONSENTS = "/codabox-connect/accounting-office-consents";
const SANDBOX = "/codabox-connect/sandbox";

async function call(step: Step, portal: string): Promise<unknown> {
  const authorization = step.basic ? `Basic ${btoa(step.basic.join(":"))}` : `Bearer ${step.token}`;
  const client = createClient<paths>({
    baseUrl: step.at ?? portal,
    headers: { Authorization: authorization },
  });
  // The scenario is JSON, so its parts are told their types here; the calls are checked.
  const given = step.parameters ?? {};
  const { office, client: company, kind, document, consent, ...rest } = given;
  const path = { office, client: company, kind, document, consent };
  const { Range, "Ibanity-Idempotency-Key": key, ...query } = rest;
  const header = { ...(Range && { Range }), ...(key && { "Ibanity-Idempotency-Key": key }) };
  const params = <Name extends keyof operations>() =>
    ({ path, header, query }) as unknown as Parameters<Name> & object;
  const body = <Name extends keyof Schemas>() => step.body as Schemas[Name];
  const bytes = { parseAs: "arrayBuffer" } as const;
  const calls: Record<string, () => Promise<Answer>> = {
    issueToken: () =>
      client.POST("/codabox-connect/oauth2/token", {
        body: { grant_type: "client_credentials" },
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      }),
    makeSandboxOffice: () =>
      client.POST(`${SANDBOX}/accounting-offices`, { body: body<"SandboxOfficeRequest">() }),
    decideInSandbox: () =>
      client.POST(`${SANDBOX}/accounting-office-consents/{consent}/decisions`, {
        params: params<"decideInSandbox">(),
        body: body<"SandboxDecision">(),
      }),
    deliverToSandbox: () =>
      client.POST(`${SANDBOX}/accounting-offices/{office}/documents`, {
        params: params<"deliverToSandbox">(),
        body: body<"SandboxFile">(),
      }),
    requestConsent: () =>
      client.POST(CONSENTS, {
        params: params<"requestConsent">(),
        body: body<"ConsentRequest">(),
      }),
    listConsents: () => client.GET(CONSENTS, { params: params<"listConsents">() }),
    readConsent: () => client.GET(`${CONSENTS}/{consent}`, { params: params<"readConsent">() }),
    giveUpConsent: () =>
      client.DELETE(`${CONSENTS}/{consent}`, { params: params<"giveUpConsent">() }),
    listClients: () => client.GET(`${OFFICE}/clients`, { params: params<"listClients">() }),
    listDocumentChanges: () =>
      client.GET(`${OFFICE}/document-changes`, { params: params<"listDocumentChanges">() }),
    searchDocuments: () =>
      client.POST(`${OFFICE}/document-searches`, {
        params: params<"searchDocuments">(),
        body: body<"SearchRequest">(),
      }),
    readDocument: () => client.GET(DOCUMENT, { params: params<"readDocument">() }),
    readDocumentFile: () =>
      client.GET(`${DOCUMENT}/file`, { params: params<"readDocumentFile">(), ...bytes }),
    downloadDocuments: () =>
      client.POST(`${OFFICE}/document-downloads`, {
        params: params<"downloadDocuments">(),
        body: body<"DownloadRequest">(),
        ...bytes,
      }),
    acknowledgeDocuments: () =>
      client.POST(`${OFFICE}/acknowledgements`, {
        params: params<"acknowledgeDocuments">(),
        body: body<"Acknowledgements">(),
      }),
  };
  const { data, error, response } = await calls[step.call]!();
  if (error !== undefined) throw new Refused(response.status, error as Refusal);
  return data instanceof ArrayBuffer ? summary(data) : (data ?? null);
}

walk(call, async (error) => {
  if (!(error instanceof Refused)) throw error;
  return [error.status, error.body];
});
