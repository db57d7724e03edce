// Walks the scenario with the TypeScript client that openapi-generator made (typescript-fetch).
import { ConsentsApi, DocumentsApi, SandboxApi, TokensApi } from "./made/apis";
import * as models from "./made/models";
import { Configuration, ResponseError } from "./made/runtime";
import { type Step, summary, walk } from "./steps";

type Call = (parameters: object) => Promise<unknown>;
// How a model goes from JSON and back, by its own functions.
const convert = models as unknown as Record<string, (value: unknown) => unknown>;
// What each call takes and gives, where a body or an answer is a model.
const SHAPES: Record<string, [taken: string | null, given: string | null]> = {
  issueToken: [null, "Token"],
  makeSandboxOffice: ["SandboxOfficeRequest", "SandboxOffice"],
  requestConsent: ["ConsentRequest", "Consent"],
  readConsent: [null, "Consent"],
  listConsents: [null, "Consents"],
  giveUpConsent: [null, null],
  decideInSandbox: ["SandboxDecision", "Consent"],
  deliverToSandbox: ["SandboxFile", "SandboxDelivery"],
  listClients: [null, "Clients"],
  listDocumentChanges: [null, "DocumentChanges"],
  searchDocuments: ["SearchRequest", "Search"],
  readDocument: [null, "OneDocument"],
  readDocumentFile: [null, null],
  downloadDocuments: ["DownloadRequest", null],
  acknowledgeDocuments: ["Acknowledgements", "Acknowledged"],
};

async function call(step: Step, portal: string): Promise<unknown> {
  const configuration = new Configuration({
    basePath: step.at ?? portal,
    accessToken: step.token,
    username: step.basic?.[0],
    password: step.basic?.[1],
  });
  const [taken, given] = SHAPES[step.call]!;
  const sent: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(step.parameters ?? {}))
    sent[name.toLowerCase().replace(/[-_](.)/g, (_all, letter) => letter.toUpperCase())] = value;
  if (taken) sent[taken[0]!.toLowerCase() + taken.slice(1)] = convert[`${taken}FromJSON`]!(step.body);
  for (const Api of [ConsentsApi, DocumentsApi, SandboxApi, TokensApi]) {
    const api = new Api(configuration) as unknown as Record<string, Call>;
    if (!(step.call in api)) continue;
    const answer = await api[step.call]!(sent);
    if (answer instanceof Blob) return summary(await answer.arrayBuffer());
    return given ? convert[`${given}ToJSON`]!(answer) : null;
  }
  throw new Error(step.call);
}

walk(call, async (error) => {
  if (!(error instanceof ResponseError)) throw error;
  return [error.response.status, await error.response.json()];
});
