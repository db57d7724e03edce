// What both programs in TypeScript share: the steps of the scenario, and how they are reported.
import { readFileSync } from "node:fs";

export interface Step {
  call: string;
  at?: string;
  basic?: [string, string];
  token?: string;
  parameters?: Record<string, string | number>;
  body?: unknown;
  keep?: Record<string, string>;
}
export interface Refusal {
  error?: string;
  errors?: { code: string }[];
}
type Call = (step: Step, portal: string) => Promise<unknown>;
type Refused = (error: unknown) => Promise<[number, Refusal]>;

export function summary(bytes: ArrayBuffer): object {
  return { begins: Buffer.from(bytes).subarray(0, 4).toString("latin1") };
}

function at(answer: unknown, pointer: string): unknown {
  return pointer.split("/").slice(1).reduce((part, name) => (part as any)[name], answer);
}

export async function walk(call: Call, refused: Refused): Promise<void> {
  const steps = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Step[];
  const values = JSON.parse(readFileSync(process.argv[3]!, "utf8")) as Record<string, string>;
  for (const raw of steps) {
    const text = JSON.stringify(raw).replace(/\$([A-Za-z]+)/g, (_all, name) => values[name]!);
    const step = JSON.parse(text) as Step;
    let answer: unknown;
    try {
      answer = await call(step, values.portal!);
    } catch (error) {
      const [status, body] = await refused(error);
      console.log(JSON.stringify({ refused: [status, body.error ?? body.errors![0]!.code] }));
      continue;
    }
    for (const [name, pointer] of Object.entries(step.keep ?? {}))
      values[name] = String(at(answer, pointer));
    console.log(JSON.stringify({ answer }));
  }
}
