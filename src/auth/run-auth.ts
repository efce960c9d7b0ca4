/** `qvd auth run`: serves the auth sockets until the signal. `src/cli/auth/run.ts` wires it. */

import { systemClock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { AccountStore } from "./account-store.ts";
import { answerQuestion } from "./answer-question.ts";
import { BoundedQueue } from "./bounded-queue.ts";
import { type ChainParts, createChain } from "./chain/create-chain.ts";
import { createLocalAuthenticator } from "./local/local-authenticator.ts";
import { serveAuth } from "./server.ts";
import { Throttle } from "./throttle.ts";

export type AuthDeps = {
  /** One for each process that may ask: broker and admin. Their folders exist and are writable. */
  readonly socketPaths: readonly string[];
  readonly accounts: AccountStore;
  /** Besides the local accounts. */
  readonly parts?: Partial<ChainParts>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onReady?: () => void;
};

/** Two hashes at a time are two cores' worth and 128 MB; fifty more wait about 2.5 s, half of them from one address. */
const QUEUE = { atOnce: 2, waiting: 50, waitingOfOne: 25 } as const;

export async function runAuth(deps: AuthDeps): Promise<void> {
  const { accounts: store, log, parts } = deps;
  const local = await createLocalAuthenticator({ store, queue: new BoundedQueue(QUEUE) });
  const verifier = createChain({
    authenticators: [local, ...(parts?.authenticators ?? [])],
    secondFactors: parts?.secondFactors ?? [],
    afterProofs: parts?.afterProofs ?? [],
    store,
    log,
  });
  const answerDeps = { verifier, throttle: new Throttle(systemClock), log };
  const servers = deps.socketPaths.map((path) =>
    serveAuth({
      path,
      log: deps.log,
      answer: (question, signal) => answerQuestion(answerDeps, question, signal),
    }),
  );
  deps.log.info("auth-started", { sockets: deps.socketPaths });
  deps.onReady?.();
  await new Promise<void>((resolve) => {
    if (deps.signal.aborted) resolve();
    else deps.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const server of servers) server.stop();
  deps.log.info("auth-stopped");
}
