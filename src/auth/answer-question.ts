/**
 * What stands between a question of the socket and an authenticator: names are normalised, guessing is
 * slowed down, and only so many proofs are looked at at a time (each hash takes 46 MiB).
 */

import { describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import type { AuthAnswer, AuthQuestion } from "../wire/auth/messages.ts";
import type { Authenticator, Proof, Verdict } from "./authenticator.ts";
import type { BoundedQueue } from "./bounded-queue.ts";
import { parseLoginName } from "./login.ts";
import type { Throttle } from "./throttle.ts";

export type AnswerDeps = {
  readonly authenticator: Authenticator;
  readonly queue: BoundedQueue;
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

async function decideVerdict(
  deps: AnswerDeps,
  question: AuthQuestion,
  signal: AbortSignal,
): Promise<Verdict> {
  const name = parseLoginName(question.login, FALLBACK_TENANTS[question.kind]);
  if (name === undefined || question.password === "") return { outcome: "denied" };
  const key = JSON.stringify([question.kind, name.login, name.tenant, question.origin]);
  const attempt = deps.throttle.enter(key);
  if (attempt === "refuse")
    return { outcome: "busy", text: "Too many tries to sign in to this account. Wait a minute and retry." };
  await sleep(attempt.waitMs, signal);
  attempt.begin();
  const proof = { kind: question.kind, name, password: question.password };
  const verdict = await verify(deps, { proof, origin: question.origin }, signal);
  attempt.end(ATTEMPT_ENDS[verdict.outcome]);
  return verdict;
}

const ATTEMPT_ENDS = {
  accepted: "succeeded",
  denied: "failed",
  busy: "undecided",
  unavailable: "undecided",
} as const satisfies Record<Verdict["outcome"], string>;

async function verify(
  deps: AnswerDeps,
  { proof, origin }: { readonly proof: Proof; readonly origin: string },
  signal: AbortSignal,
): Promise<Verdict> {
  if (signal.aborted) return { outcome: "unavailable", text: "Nobody waits for the answer any more." };
  try {
    const verdict = await deps.queue.run(() => deps.authenticator.verify(proof, signal), origin);
    return verdict ?? { outcome: "busy", text: "Too many people sign in at the moment. Retry in a minute." };
  } catch (error) {
    deps.log.error("proof-failed", { error });
    const text = isAppError(error) ? describeError(error) : "Passwords can't be verified at the moment.";
    return { outcome: "unavailable", text };
  }
}

function formatVerdict(id: number, verdict: Verdict): AuthAnswer {
  if (verdict.outcome === "denied") return { id, outcome: "denied" };
  if (verdict.outcome !== "accepted") return { id, ...verdict };
  const { login, tenantId, tenantName } = verdict.account;
  return { id, outcome: "accepted", ...verdict.account.id, login, tenantId, tenantName };
}
