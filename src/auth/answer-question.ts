/** What stands between a question of the socket and a chain: names are normalised, and guessing is slowed down. */

import { describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import type { AuthAnswer, AuthQuestion } from "../wire/auth/messages.ts";
import type { Claim, ProvedAccount, Verdict, Verifier } from "./authenticator.ts";
import { type LoginName, type NameRules, parseLoginName } from "./login.ts";
import type { SiteThrottle } from "./site-throttle.ts";

export type AnswerDeps = {
  readonly verifier: Verifier;
  readonly throttle: Pick<SiteThrottle, "enter">;
  /** How this site writes logins with their tenants; rejects when the database is away. */
  readonly readNameRules: () => Promise<NameRules>;
  readonly log: Log;
};

/** With whom to tell where it stands among those that wait. */
export type AskedQuestion = AuthQuestion & Pick<Claim, "onPlace">;

export async function answerQuestion(
  deps: AnswerDeps,
  question: AskedQuestion,
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
  question: AskedQuestion,
  signal: AbortSignal,
): Promise<Verdict> {
  const { kind, proof, origin, mayWaitMs, onPlace } = question;
  const rules = await readRules(deps);
  if (rules === undefined) return { outcome: "unavailable", text: ACCOUNTS_AWAY };
  // Any other proof says by itself whose it is; a login beside it is whatever its asker likes.
  const name = proof.kind === "password" ? parseLoginName(question.login, rules, kind) : undefined;
  if (proof.kind === "password" && name === undefined) return { outcome: "denied" };
  return await decideClaim(deps, { kind, name, proof, origin, mayWaitMs, onPlace }, signal);
}

/** The same for a claim whose name is known. */
export async function decideClaim(deps: AnswerDeps, claim: Claim, signal: AbortSignal): Promise<Verdict> {
  const { kind, name, origin, proof } = claim;
  // An empty password is never looked at: many directories take it for the wish to be nobody, and agree.
  if (proof.kind === "password" && proof.password === "") return { outcome: "denied" };
  const attempt = await deps.throttle.enter({ kind, name, origin });
  if (attempt === "refuse") return TOO_MANY;
  if (attempt.waitMs > 0)
    deps.log.info("sign-in-slowed", { kind, login: name?.login, origin, waitMs: attempt.waitMs });
  const { sentAway } = attempt;
  await sleep(attempt.waitMs, sentAway === undefined ? signal : AbortSignal.any([signal, sentAway]));
  attempt.begin();
  if (sentAway?.aborted) {
    await attempt.end("undecided");
    return TOO_MANY;
  }
  const verdict = await verify(deps, { ...claim, asker: attempt.asker }, signal);
  const proved = name === undefined && verdict.outcome === "accepted" ? nameOf(verdict.account) : name;
  await attempt.end(ATTEMPT_ENDS[verdict.outcome], proved);
  return verdict;
}

function nameOf({ login, tenantName: tenant }: ProvedAccount): LoginName {
  return { login, tenant };
}

const TOO_MANY = {
  outcome: "busy",
  text: "Too many tries to sign in to this account. Wait a minute and retry.",
  retryMs: 60_000,
} as const;
const ACCOUNTS_AWAY = "Accounts can't be read: the database does not answer.";

async function readRules({ readNameRules, log }: AnswerDeps): Promise<NameRules | undefined> {
  try {
    return await readNameRules();
  } catch (error) {
    log.error("settings-unreadable", { error });
    return undefined;
  }
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
