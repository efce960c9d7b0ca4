/** `qvd broker run`: one worker of the QVD port, until its signal and the end of its last session. */

import type { VmId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { waitFor } from "../lib/wait.ts";
import type { PasswordVerifier } from "./authenticate.ts";
import { closeOrphansFirst } from "./close-orphans-first.ts";
import { BROKER_LIMITS, type BrokerLimits } from "./limits.ts";
import { type ListenOptions, listen } from "./listen.ts";
import { LiveSessions } from "./live-sessions.ts";
import { Recorder } from "./record.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import { createSlaveKey } from "./slave-key.ts";
import type { BrokerStore } from "./store.ts";
import { Wakes } from "./wakes.ts";

export type BrokerWakes = {
  wake(topic: "vm", vmId?: number): void;
  close(): void;
};

export type BrokerDeps = {
  readonly listen: ListenOptions;
  readonly store: BrokerStore;
  readonly auth: PasswordVerifier;
  /** Connects to the box's wakes; `onWake` gets those of the other processes. */
  readonly connectWakes: (
    onWake: (wake: { topic: string; vmId?: number | undefined }) => void,
  ) => BrokerWakes;
  readonly log: Log;
  /** Aborted: take no new clients and end with the last session. */
  readonly signal: AbortSignal;
  /** Aborted: end now. */
  readonly endNow?: AbortSignal;
  readonly limits?: Partial<BrokerLimits>;
  /** What proves this box to the others of its site; without it sessions of other boxes can't be reached. */
  readonly identity?: BoxIdentity;
  readonly onReady?: (port: number) => void;
};

export async function runBroker(deps: BrokerDeps): Promise<void> {
  const { log } = deps;
  const store = closeOrphansFirst(deps.store, log);
  const limits = { ...BROKER_LIMITS, ...deps.limits };
  const over = new AbortController();
  const wakes = new Wakes();
  const sessions = new LiveSessions();
  const recorder = new Recorder(store, log);
  const box = deps.connectWakes(({ topic, vmId }) => {
    if (topic !== "vm") return;
    wakes.notify(vmId);
    sessions.notify(vmId);
  });
  const wake = (vmId: VmId) => {
    box.wake("vm", vmId);
    // The box's wakes don't come back to their sender, and a takeover may be between two clients of ours.
    sessions.notify(vmId);
    wakes.notify(vmId);
  };
  const server = listenOrExplain(
    {
      store,
      log,
      limits,
      wakes,
      sessions,
      wake,
      recorder,
      auth: deps.auth,
      identity: deps.identity,
      createSlaveKey: () => createSlaveKey((into) => crypto.getRandomValues(into)),
      recordEnd: (id, cause) => recorder.ended(id, { cause, bytesToClient: 0, bytesFromClient: 0 }),
    },
    deps.listen,
  );
  const { pollMs: everyMs, trafficMs } = limits;
  const watching = sessions.watch(store, log, { everyMs, trafficMs, signal: over.signal });
  log.info("broker-started", { address: deps.listen.address, port: server.port });
  deps.onReady?.(server.port);
  await aborted(deps.signal);
  log.info("broker-draining", { open: server.openCount() });
  server.drain();
  const endNow = deps.endNow ?? new AbortController().signal;
  await waitFor(() => server.openCount() === 0, { timeoutMs: limits.drainMs, everyMs: 200, signal: endNow });
  sessions.endAll("broker-stopped");
  await waitFor(() => sessions.count === 0, { timeoutMs: 3_000 });
  server.stop();
  await recorder.settle(3_000);
  over.abort();
  await watching;
  box.close();
  log.info("broker-stopped");
}

function listenOrExplain(deps: Parameters<typeof listen>[0], options: ListenOptions) {
  try {
    return listen(deps, options);
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `The broker can't listen on ${options.address} port ${options.port}; see QVD_BROKER_ADDRESS and QVD_BROKER_PORT`,
      { cause },
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
