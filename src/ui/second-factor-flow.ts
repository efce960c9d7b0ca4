/**
 * What happens to a form of the second factor's pages, the same for users and administrators: it is sent to auth, and
 * the answer becomes what the page shows next.
 */

import { readSetUp, WRONG_FIRST_CODE } from "./second-factor.tsx";
import type { SecondFactorSaid, SecondFactorStep } from "./second-factor-forms.tsx";

export type SecondFactorKind = "begin-enrolment" | "renew-recovery-codes" | "remove-second-factor";

/** As auth answers; what isn't there wasn't said. */
export type SecondFactorReply = {
  readonly outcome: string;
  readonly text?: string;
  readonly secret?: string;
  readonly uri?: string;
  readonly ticket?: string;
  readonly recoveryCodes?: readonly string[];
};

export type SecondFactorProof = {
  readonly kind: "password";
  readonly password: string;
  readonly canAskForCode: true;
  readonly secondFactor?: string;
};

/** Asks auth on behalf of whoever is signed in. */
export type SecondFactorAsker = {
  readonly ask: (kind: SecondFactorKind, proof: SecondFactorProof) => Promise<SecondFactorReply>;
  readonly confirm: (ticket: string, code: string) => Promise<SecondFactorReply>;
};

/** The next step, or what is said above the forms. */
export type SecondFactorNext = SecondFactorStep | { readonly kind: "said"; readonly said: SecondFactorSaid };

type Fields = Readonly<Record<string, unknown>>;

const DENIED = "That was not right. Check password and code, and try again; each code is good once.";
const REMOVED = "Your second factor is removed: your password alone counts now.";

export async function proveForSecondFactor(
  { ask }: SecondFactorAsker,
  kind: SecondFactorKind,
  fields: Fields,
): Promise<SecondFactorNext> {
  const reply = await ask(kind, readProof(fields));
  const { outcome, secret, uri, ticket } = reply;
  if (outcome === "removed") return { kind: "said", said: { tone: "good", text: REMOVED } };
  if (secret !== undefined && uri !== undefined && ticket !== undefined)
    return { kind: "set-up", setUp: { secret, uri, ticket } };
  return codesOrRefusal(reply);
}

/** A mistyped code costs no second scan. */
export async function confirmSecondFactor(
  { confirm }: SecondFactorAsker,
  fields: Fields,
): Promise<SecondFactorNext> {
  const reply = await confirm(wordOf(fields, "set-up"), wordOf(fields, "code"));
  const setUp = readSetUp(fields);
  return reply.outcome === "denied" && setUp !== undefined
    ? { kind: "set-up", setUp, text: WRONG_FIRST_CODE }
    : codesOrRefusal(reply);
}

function codesOrRefusal({ recoveryCodes, text = DENIED }: SecondFactorReply): SecondFactorNext {
  if (recoveryCodes !== undefined) return { kind: "codes", codes: recoveryCodes };
  return { kind: "said", said: { tone: "bad", text } };
}

/** A code that was left out is none. */
function readProof(fields: Fields): SecondFactorProof {
  const proof = { kind: "password", password: wordOf(fields, "password"), canAskForCode: true } as const;
  const code = wordOf(fields, "code");
  return code === "" ? proof : { ...proof, secondFactor: code };
}

function wordOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}
