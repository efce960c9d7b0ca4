/**
 * A tenant's chain: asks its authenticators in order until one proves whose a claim is, then does what follows,
 * the same whoever proved it: the account, the tenant's policy, the second factor, what is made at a first sign-in.
 * A part that is away is passed over; only when nobody accepts does it make the answer `unavailable`.
 */

import { decideSignIn, parseSignInPolicy } from "../../domain/access/sign-in-policy.ts";
import type { TenantId } from "../../domain/ids.ts";
import type { SettingValues } from "../../domain/setting/registry.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { describeError, isAppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { AccountStore, StoredAccount } from "../account-store.ts";
import type {
  AfterProof,
  Attempt,
  Authenticator,
  Claim,
  Finding,
  ProvedAccount,
  ProvedPerson,
  SecondFactor,
  Verdict,
  Verifier,
} from "../authenticator.ts";
import type { LoginName } from "../login.ts";
import type { HalfProof, HalfProofs } from "./half-proof.ts";
import { planChain } from "./plan-chain.ts";

export type ChainParts = {
  readonly authenticators: readonly Authenticator[];
  readonly secondFactors: readonly SecondFactor[];
  readonly afterProofs: readonly AfterProof[];
};

export type ChainDeps = ChainParts & {
  readonly store: AccountStore;
  readonly halfProofs: HalfProofs;
  readonly log: Log;
};

/** Goes on with a sign-in whose first half was proved earlier. */
export type Resume = (
  half: HalfProof,
  how: { readonly origin: string; readonly code?: string; readonly hasSecondFactor?: boolean },
  signal: AbortSignal,
) => Promise<Verdict>;

const AWAY = "Passwords can't be verified at the moment. Retry in a few minutes, or tell your administrator.";

const GONE = { outcome: "unavailable", text: "Nobody waits for the answer any more." } as const;
const NOT_MADE =
  "Your password is right, but your desktop can't be made ready. Tell your administrator, who finds the reason in the log of auth.";

type Proved = Extract<Finding, { outcome: "proved" }>;
/** A claim on its way through its chain. */
type Course = {
  readonly claim: Claim;
  readonly settings: SettingValues;
  readonly plan: readonly string[];
  /** From a step of its own, or off the password's end. */
  readonly code: string | undefined;
};

export function createChain(deps: ChainDeps): Verifier & { readonly resume: Resume } {
  const resume: Resume = (half, how, signal) => resumeHalf(deps, half, { ...how, signal });
  return {
    resume,
    async verify(claim, signal) {
      const { proof: shown, origin } = claim;
      if (shown.kind === "second-factor") {
        const half = await deps.halfProofs.open(shown.ticket);
        if (half === undefined || half.kind !== claim.kind) return { outcome: "denied" };
        return await resume(half, { origin, code: shown.code }, signal);
      }
      const settings = await readSettings(deps.store, claim.name?.tenant);
      const plan = planChain(claim.kind, settings);
      const { proof, code } = await takeCode(deps, { ...claim, settings }, { plan, signal });
      const attempt: Attempt = { ...claim, proof, settings };
      const course: Course = { claim, settings, plan, code };
      let failure: Verdict = { outcome: "denied" };
      for (const authenticator of chooseAuthenticators(deps, attempt, plan)) {
        if (signal.aborted) return GONE;
        const finding = await authenticator.prove(attempt, signal);
        if (signal.aborted && finding.outcome === "unavailable") return GONE;
        const verdict =
          finding.outcome === "proved"
            ? await settle(deps, course, { finding, by: authenticator.name, signal })
            : judgeFailure(deps.log, authenticator.name, finding);
        if (verdict.outcome === "accepted" || verdict.outcome === "second-factor-needed") return verdict;
        if (verdict.outcome !== "denied") failure = verdict;
      }
      return failure;
    },
  };
}

/** Those that a password is put to, in the chain's order. A token or a provider's answer is for one only, and its tenant known once it is read. */
function chooseAuthenticators(
  { authenticators }: ChainDeps,
  { proof }: Attempt,
  plan: readonly string[],
): readonly Authenticator[] {
  const able = authenticators.filter(({ proofs }) => proofs.includes(proof.kind));
  if (proof.kind !== "password") return able;
  return plan.flatMap((name) => able.filter((one) => one.name === name));
}

function judgeFailure(log: Log, by: string, finding: Exclude<Finding, Proved>): Verdict {
  if (finding.outcome === "denied") return finding;
  if (finding.outcome === "busy") return { ...finding, text: describeBusy(finding.retryMs) };
  log.error("authenticator-away", { by, text: finding.text });
  return { outcome: "unavailable", text: AWAY };
}

function describeBusy(retryMs = 60_000): string {
  return `Too many people sign in at the moment. Retry in about ${Math.ceil(retryMs / 1_000)} seconds.`;
}

/**
 * The proof as the authenticators see it, and the code that came with it. The code of an NX client stands at the
 * password's end, so whether its owner has a second factor must be known before the password is looked at.
 */
async function takeCode(
  deps: ChainDeps,
  attempt: Attempt,
  { plan, signal }: Pick<Course, "plan"> & { readonly signal: AbortSignal },
): Promise<Pick<Course, "code"> & Pick<Claim, "proof">> {
  const { name, proof, settings } = attempt;
  if (proof.kind !== "password") return { proof, code: undefined };
  const factor = deps.secondFactors.find((one) => plan.includes(one.name));
  if (
    factor === undefined ||
    proof.secondFactor !== undefined ||
    proof.canAskForCode === true ||
    name === undefined
  )
    return { proof, code: proof.secondFactor };
  const split = factor.split(proof.password, settings);
  if (split === undefined) return { proof, code: undefined };
  const owner = await findOwner(deps, { ...attempt, name }, { plan, signal });
  if (!(await factor.isEnrolled(owner))) return { proof, code: undefined };
  return { proof: { ...proof, password: split.password }, code: split.code };
}

/** Whose account a name means. A directory is asked whether or not there is one of that name, so that time doesn't tell. */
async function findOwner(
  { store, authenticators }: ChainDeps,
  attempt: Attempt & { readonly name: LoginName },
  { plan, signal }: Pick<Course, "plan"> & { readonly signal: AbortSignal },
): Promise<ProvedAccount | undefined> {
  const { kind, name } = attempt;
  const knowing = authenticators.filter((one) => one.findName !== undefined && plan.includes(one.name));
  const others = await Promise.all(knowing.map((one) => one.findName?.(attempt, signal)));
  const stored = await Promise.all(
    [name, ...others.map((other) => other ?? name)].map((one) => store.findAccount(kind, one)),
  );
  return stored.find((one) => one !== undefined)?.account;
}

async function resumeHalf(
  deps: ChainDeps,
  half: HalfProof,
  how: {
    readonly origin: string;
    readonly code?: string;
    readonly hasSecondFactor?: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Verdict> {
  const { kind, name, by, fullName, parameters } = half;
  const settings = await readSettings(deps.store, name.tenant);
  const plan = planChain(kind, settings);
  const proof = { kind: "second-factor", ticket: "", code: how.code ?? "" } as const;
  const claim: Claim = { kind, name, proof, origin: how.origin };
  const finding: Proved = {
    outcome: "proved",
    name,
    ...(fullName === undefined ? {} : { fullName }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(how.hasSecondFactor === true ? { hasSecondFactor: true } : {}),
  };
  return await settle(
    deps,
    { claim, settings, plan, code: how.code },
    { finding, by, signal: how.signal, isJudged: true },
  );
}

type Settling = {
  readonly finding: Proved;
  readonly by: string;
  readonly signal: AbortSignal;
  /** The policy has let it pass already, and asked for a second factor or not. */
  readonly isJudged?: true;
};

async function settle(deps: ChainDeps, course: Course, settling: Settling): Promise<Verdict> {
  const { finding, by, signal } = settling;
  const { kind, origin } = course.claim;
  const { store, log } = deps;
  const tenant = await store.findTenant(finding.name.tenant);
  if (tenant === undefined || tenant.isBlocked) return { outcome: "denied" };
  const found = await store.findAccount(kind, finding.name);
  const isOwnTenant = finding.name.tenant === course.claim.name?.tenant;
  const settings = isOwnTenant ? course.settings : await readSettings(store, finding.name.tenant);
  const plan = isOwnTenant ? course.plan : planChain(kind, settings);
  // Tokens stand for people whom their chain has proved, and are part of each.
  if (by !== "token" && !plan.includes(by)) {
    log.info("proof-outside-the-chain", { by, login: finding.name.login, tenant: finding.name.tenant });
    return { outcome: "denied" };
  }
  const makers = kind === "user" ? deps.afterProofs.filter(({ name }) => plan.includes(name)) : [];
  if (found?.isBlocked || (found === undefined && makers.length === 0)) {
    log.info("proof-without-account", { by, login: finding.name.login, isBlocked: found !== undefined });
    return { outcome: "denied" };
  }
  const decision =
    settling.isJudged === true
      ? { isAllowed: true, needsSecondFactor: true }
      : await decidePolicy(deps, { settings, found, kind, settling, origin });
  if (!decision.isAllowed) {
    log.info("sign-in-forbidden-by-policy", { by, login: finding.name.login, origin });
    return { outcome: "denied" };
  }
  const refusal = await checkSecondFactor(
    deps,
    { ...course, settings, plan },
    {
      finding,
      found,
      by,
      isRequired: decision.needsSecondFactor || settings["auth.second-factor"] === "required",
    },
  );
  if (refusal !== undefined) return refusal;
  const person = { tenantId: tenant.tenantId, login: finding.name.login, fullName: finding.fullName ?? "" };
  for (const maker of makers) {
    const fault = await applyMaker(maker, { ...person, by, origin, settings }, signal);
    if (fault === undefined) continue;
    log.error("account-not-made", { login: finding.name.login, tenant: finding.name.tenant, text: fault });
    return { outcome: "unavailable", text: NOT_MADE };
  }
  const stored = found ?? (await store.findAccount(kind, finding.name));
  if (stored === undefined) return { outcome: "denied" };
  return {
    outcome: "accepted",
    account: stored.account,
    by,
    ...(finding.parameters === undefined ? {} : { parameters: finding.parameters }),
    ...(finding.vmId === undefined ? {} : { vmId: finding.vmId }),
  };
}

/** What went wrong, for administrators. */
async function applyMaker(
  maker: AfterProof,
  person: ProvedPerson,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await maker.apply(person, signal);
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return describeError(error);
  }
}

async function decidePolicy(
  { store, log }: ChainDeps,
  of: {
    readonly settings: SettingValues;
    readonly found: StoredAccount | undefined;
    readonly kind: Claim["kind"];
    readonly settling: Settling;
    readonly origin: string;
  },
) {
  const { by, finding } = of.settling;
  const text = of.settings["auth.policy"];
  if (text === "") return { isAllowed: true, needsSecondFactor: false };
  const rules = parseSignInPolicy(text);
  if (typeof rules === "string") {
    // It was checked when it was set; one of another version lets nobody in by accident.
    log.error("policy-unreadable", { text: rules });
    return { isAllowed: of.kind === "administrator", needsSecondFactor: false };
  }
  const id = of.found?.account.id;
  const properties = id !== undefined && "userId" in id ? await store.readProperties(id.userId) : {};
  const { login } = finding.name;
  const groups = finding.groups ?? [];
  const decision = decideSignIn(rules, { by, login, groups, properties, origin: of.origin });
  // No rule takes the last way in from those who could mend it.
  const isRescue = of.kind === "administrator" && by === "local";
  return { ...decision, isAllowed: decision.isAllowed || isRescue };
}

/** The verdict that ends it, or undefined when there is nothing against it. */
async function checkSecondFactor(
  { secondFactors, halfProofs, log }: ChainDeps,
  { claim, code, settings, plan }: Course,
  of: {
    readonly finding: Proved;
    readonly found: StoredAccount | undefined;
    readonly by: string;
    readonly isRequired: boolean;
  },
): Promise<Verdict | undefined> {
  if (of.finding.hasSecondFactor) return undefined;
  const canAsk = claim.proof.kind !== "password" || claim.proof.canAskForCode === true;
  const askFor = async (isEnrolled: boolean): Promise<Verdict> => {
    const { name, fullName, parameters } = of.finding;
    const ticket = await halfProofs.seal({ kind: claim.kind, by: of.by, name, fullName, parameters });
    return { outcome: "second-factor-needed", isEnrolled, ticket };
  };
  const account = of.found?.account;
  const factor = secondFactors.find((one) => plan.includes(one.name));
  const isEnrolled = factor !== undefined && account !== undefined && (await factor.isEnrolled(account));
  if (!isEnrolled) {
    if (!of.isRequired) return undefined;
    if (canAsk && factor !== undefined) return await askFor(false);
    log.info("second-factor-missing", {
      login: of.finding.name.login,
      text: "A rule asks for one, and none is enrolled.",
    });
    return { outcome: "denied" };
  }
  if (code === undefined) return canAsk ? await askFor(true) : { outcome: "denied" };
  return (await factor.verify(account, code, settings)) ? undefined : { outcome: "denied" };
}

async function readSettings(store: AccountStore, tenantName: string | undefined): Promise<SettingValues> {
  const tenant = tenantName === undefined ? undefined : await store.findTenant(tenantName);
  const tenantId: TenantId | undefined = tenant?.tenantId;
  return settingValues(await store.readSettings(tenantId), tenantId);
}
