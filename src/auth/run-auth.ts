/** `qvd auth run`: serves the auth sockets until the signal. `src/cli/auth/run.ts` wires it. */

import { systemClock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import { isAdministration } from "../wire/auth/administration.ts";
import type { AuthQuestion } from "../wire/auth/messages.ts";
import type { AuthRequest } from "../wire/auth/requests.ts";
import type { AccountStore } from "./account-store.ts";
import type { AdministrationDeps } from "./answer-administration.ts";
import { type AnswerDeps, answerQuestion, decideClaim, decideVerdict } from "./answer-question.ts";
import { answerRequest } from "./answer-request.ts";
import type { Verdict } from "./authenticator.ts";
import { type ChainParts, createChain } from "./chain/create-chain.ts";
import { HalfProofs } from "./chain/half-proof.ts";
import { FairQueue, type QueueLimits } from "./fair-queue.ts";
import { TestPace } from "./ldap/test-pace.ts";
import { createLocalAuthenticator } from "./local/local-authenticator.ts";
import { type MarkStore, SiteMarks } from "./marks.ts";
import { createNameRules } from "./name-rules.ts";
import type { OidcDeps } from "./oidc/begin.ts";
import { createOidcAuthenticator, type OidcAuthenticatorDeps } from "./oidc/oidc-authenticator.ts";
import { type ProviderDeps, Providers } from "./oidc/provider.ts";
import { createTenantSettings } from "./oidc/tenant-settings.ts";
import { serveAuth } from "./server.ts";
import { SignInThrottle } from "./sign-in-throttle.ts";
import { SiteThrottle } from "./site-throttle.ts";
import { Throttle } from "./throttle.ts";
import type { Tickets } from "./ticket.ts";
import { createTokenAuthenticator } from "./tokens/token-authenticator.ts";
import type { TokenStore } from "./tokens/token-store.ts";
import { CODE_LIMITS, CodeLimiter } from "./totp/code-limiter.ts";
import type { EnrolDeps } from "./totp/enrol.ts";
import { createTotp } from "./totp/totp.ts";
import type { TotpStore } from "./totp/totp-store.ts";
import type { UnlockDeps, UnlockStore } from "./unlock/unlock.ts";

export type AuthDeps = {
  /** One for each process that may ask: broker and admin. Their folders exist and are writable. */
  readonly socketPaths: readonly string[];
  /** The one of them that may ask what only administrators may see. */
  readonly adminSocketPath?: string;
  readonly accounts: AccountStore;
  readonly testDirectory: AdministrationDeps["testDirectory"];
  readonly listAway: AdministrationDeps["listAway"];
  readonly secondFactors: TotpStore;
  readonly tokens: TokenStore;
  /** Failures to sign in, of all boxes of the site. */
  readonly marks: MarkStore;
  /** Sealed with the site's key, so that its other boxes can open them. */
  readonly tickets: Tickets;
  readonly unlocks: UnlockStore;
  readonly oidc: Omit<ProviderDeps, "monotonicMs"> & Pick<OidcAuthenticatorDeps, "giveRoles">;
  /** Besides the local accounts. */
  readonly parts?: Partial<ChainParts>;
  /** Of those who wait for a hash. */
  readonly queue?: QueueLimits;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onReady?: () => void;
};

/** Between two tries of one tenant's directories by its own administrators. */
const TEST_EVERY_MS = 10_000;

/** Of users. Two hashes at a time are two cores' worth and 92 MB. How many may wait is a matter of pace; this bounds their memory. */
const QUEUE = { atOnce: 2, mostWaiting: 5_000, firstTaskMs: 100 } as const;
/** Enough for a few people, however many users wait. */
const ADMINISTRATORS = { atOnce: 1, mostWaiting: 500, firstTaskMs: 100 } as const;
const TELL_PLACES_EVERY_MS = 3_000;

export async function runAuth(deps: AuthDeps): Promise<void> {
  const { accounts: store, log, parts } = deps;
  const queues = {
    user: new FairQueue(deps.queue ?? QUEUE, systemClock),
    administrator: new FairQueue(ADMINISTRATORS, systemClock),
  };
  const local = await createLocalAuthenticator({ store, queues, log });
  const { secondFactors, tokens, tickets } = deps;
  const halfProofs = new HalfProofs({ tickets, readNowMs: () => secondFactors.readNowMs() });
  const marks = new SiteMarks(deps.marks, log);
  const codes = new Throttle(systemClock, CODE_LIMITS);
  const limiter = new CodeLimiter({ marks, codes });
  const totp = createTotp({ store: secondFactors, tickets, limiter, log });
  const oidc: OidcDeps = {
    providers: new Providers({ ...deps.oidc, monotonicMs: () => systemClock.monotonicMs() }),
    tickets,
    readNowMs: () => secondFactors.readNowMs(),
    settings: createTenantSettings(store),
  };
  const atProvider = createOidcAuthenticator({ ...oidc, giveRoles: deps.oidc.giveRoles, log });
  const authenticators = [
    ...[local, createTokenAuthenticator(tokens), atProvider],
    ...(parts?.authenticators ?? []),
  ];
  const verifier = createChain({
    authenticators,
    secondFactors: [totp, ...(parts?.secondFactors ?? [])],
    afterProofs: parts?.afterProofs ?? [],
    store,
    halfProofs,
    log,
  });
  const throttle = new SiteThrottle(new SignInThrottle(systemClock, codes), marks);
  const readNameRules = createNameRules(store, systemClock);
  const answerDeps = { verifier, throttle, readNameRules, log };
  const enrol: EnrolDeps = {
    store: secondFactors,
    tickets,
    halfProofs,
    prove: (person, signal) => provePerson(answerDeps, person, signal),
    resume: verifier.resume,
  };
  const unlock: UnlockDeps = {
    store: deps.unlocks,
    decide: (claim, signal) => decideClaim(answerDeps, claim, signal),
  };
  const { testDirectory, listAway } = deps;
  const pace = new TestPace({ nowMs: () => systemClock.monotonicMs(), everyMs: TEST_EVERY_MS });
  const administration = { throttle, store, testDirectory, listAway, pace, tickets };
  const servers = deps.socketPaths.map((path) =>
    serveAuth({
      path,
      log: deps.log,
      isAllowed: ({ kind }) => path === deps.adminSocketPath || !isAdministration(kind),
      answer: (asked, { signal, onPlace }) =>
        isQuestion(asked)
          ? answerQuestion(answerDeps, { ...asked, onPlace }, signal)
          : answerRequest({ enrol, tokens, oidc, unlock, administration, log }, asked, signal),
    }),
  );
  deps.log.info("auth-started", { sockets: deps.socketPaths });
  deps.onReady?.();
  while (!deps.signal.aborted) {
    for (const one of authenticators) one.tellPlaces?.();
    await sleep(TELL_PLACES_EVERY_MS, deps.signal);
  }
  for (const server of servers) server.stop();
  deps.log.info("auth-stopped");
}

/** As at any sign-in. Whoever is signed in already is named as their account is. */
function provePerson(
  deps: AnswerDeps,
  { of: kind, login, tenant, proof, origin }: Parameters<EnrolDeps["prove"]>[0],
  signal: AbortSignal,
): Promise<Verdict> {
  const asked = { kind, proof, origin };
  return tenant === undefined
    ? decideVerdict(deps, { ...asked, id: 0, login }, signal)
    : decideClaim(deps, { ...asked, name: { login, tenant }, isAccountName: true }, signal);
}

/** Who somebody is, and nothing else. */
function isQuestion(asked: AuthQuestion | AuthRequest): asked is AuthQuestion {
  return asked.kind === "user" || asked.kind === "administrator";
}
