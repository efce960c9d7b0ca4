/**
 * Whoever needs a second factor and has none sets it up on the way in: what auth's answers become, for users and
 * administrators. That they are in then is each site's own affair.
 */

import { readSetUp, WRONG_FIRST_CODE } from "./second-factor.tsx";
import type { SecondFactorReply } from "./second-factor-flow.ts";
import type { SignInStep } from "./sign-in-card.tsx";

/** To auth: begin one for whoever has shown that ticket of a right password. */
export function setUpQuestion<Of extends "user" | "administrator">(of: Of, ticket: string, origin: string) {
  const proof = { kind: "second-factor", ticket, code: "" } as const;
  return { kind: "begin-enrolment", of, login: "", proof, origin } as const;
}

/** `refusal` is said where auth gave no words of its own. */
export function stepOfSetUp(begun: SecondFactorReply, refusal: string): SignInStep {
  const { secret, uri, ticket, text = refusal } = begun;
  if (secret !== undefined && uri !== undefined && ticket !== undefined)
    return { kind: "set-up", setUp: { secret, uri, ticket } };
  return { kind: "password", text };
}

/** After a first code that let nobody in. A mistyped one costs no second scan. */
export function stepAfterFirstCode(
  { outcome, text }: SecondFactorReply,
  fields: Readonly<Record<string, unknown>>,
  refusal: string,
): SignInStep {
  const setUp = readSetUp(fields);
  if (outcome === "denied" && setUp !== undefined) return { kind: "set-up", setUp, text: WRONG_FIRST_CODE };
  return { kind: "password", text: text ?? refusal };
}
