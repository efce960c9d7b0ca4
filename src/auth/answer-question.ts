/** What stands between a question of the socket and a chain: names are normalised, and guessing is slowed down. */

import { describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import type { AuthAnswer, AuthQuestion } from "../wire/auth/messages.ts";
import type { Claim, Verdict, Verifier } from "./authenticator.ts";
import { parseLoginName } from "./login.ts";
import type { Throttle } from "./throttle.ts";

export type AnswerDeps = {
  readonly verifier: Verifier;
  readonly throttle: Throttle;
  readonly log: Log;
};

/** Tenant of a login that names none: people with desktops, and the site's administrators. */
const FALLBACK_TENANTS = { user: "default", administrator: "*" } as const;

export async function answerQuestion(
  deps: AnswerDeps,
  question: AuthQuestion,
  signal: AbortSignal,
): Promise<AuthAnswer> {
  const verdict = await decideVerdict(deps, question, signal);
  const fields = { kind: question.kind, login: question.login, origin: question.origin };
  if (verdict.outcome === "accepted") deps.log.debug("proof-accepted", fields);
  else deps.log.info(`proof-${verdict.outcome}`, fields);
  return formatVerdict(question.id, verdict);
}

/** As the socket's questions are answered, throttling included. */
export async function decideVerdict(
  deps: AnswerDeps,
  question: AuthQuestion,
  signal: AbortSignal,
): Promise<Verdict> {
  const { kind, proof, origin } = question;
  const name = parseLoginName(question.login, FALLBACK_TENANTS[kind]);
  // An empty password is never looked at: many directories take it for the wish to be nobody, and agree.
  if (proof.kind === "password" && (name === undefined || proof.password === ""))
    return { outcome: "denied" };
  return await decideClaim(deps, { kind, name, proof, origin }, signal);
}

/** The same for a claim whose name is known. */
export async function decideClaim(deps: AnswerDeps, claim: Claim, signal: AbortSignal): Promise<Verdict> {
  const { kind, name, origin } = claim;
  const key = JSON.stringify([kind, name?.login, name?.tenant, origin]);
  const attempt = deps.throttle.enter(key);
  if (attempt === "refuse")
    return { outcome: "busy", text: "Too many tries to sign in to this account. Wait a minute and retry." };
  await sleep(attempt.waitMs, signal);
  attempt.begin();
  const verdict = await verify(deps, claim, signal);
  attempt.end(ATTEMPT_ENDS[verdict.outcome]);
  return verdict;
}

const ATTEMPT_ENDS = {
  accepted: "succeeded",
  denied: "failed",
  // The password was right, but codes are guessed too: it neither counts nor forgives.
  "second-factor-needed": "undecided",
  busy: "undecided",
  unavailable: "undecided",
} as const satisfies Record<Verdict["outcome"], string>;

async function verify(deps: AnswerDeps, claim: Claim, signal: AbortSignal): Promise<Verdict> {
  if (signal.aborted) return { outcome: "unavailable", text: "Nobody waits for the answer any more." };
  try {
    return await deps.verifier.verify(claim, signal);
  } catch (error) {
    deps.log.error("proof-failed", { error });
    const text = isAppError(error) ? describeError(error) : "Passwords can't be verified at the moment.";
    return { outcome: "unavailable", text };
  }
}

function formatVerdict(id: number, verdict: Verdict): AuthAnswer {
  if (verdict.outcome !== "accepted") return { id, ...verdict };
  const { account, by, parameters, vmId } = verdict;
  const { login, tenantId, tenantName } = account;
  const accepted = { id, outcome: "accepted", login, tenantId, tenantName, by } as const;
  if ("administratorId" in account.id) return { ...accepted, ...account.id };
  return {
    ...accepted,
    ...account.id,
    ...(parameters === undefined ? {} : { parameters }),
    ...(vmId === undefined ? {} : { vmId }),
  };
}
