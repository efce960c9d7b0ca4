/**
 * `qvd broker run`: one worker of the QVD port, until its signal and the end of its last session.
 *
 *     listening ──TERM──► leaving ──► draining ──► over      leaving only while a balancer asks
 *         └──replaced──────────────────┘
 */

import type { SessionId, VmId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep, waitFor } from "../lib/wait.ts";
import type { BrokerState } from "../wire/broker/state-file.ts";
import type { PasswordVerifier } from "./authenticate.ts";
import { closeOrphansFirst } from "./close-orphans-first.ts";
import { type AuthAsker, createTokenMaker } from "./create-token.ts";
import { type Gateway, startGateway } from "./gateway/gateway.ts";
import type { VisitStore } from "./gateway/visit-store.ts";
import type { WebStore } from "./gateway/web-store.ts";
import { Leaving } from "./leaving.ts";
import { BROKER_LIMITS, type BrokerLimits } from "./limits.ts";
import { type Listening, type ListenOptions, listen } from "./listen.ts";
import { LiveSessions } from "./live-sessions.ts";
import { Recorder } from "./record.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import { Relays } from "./relay/relays.ts";
import { createSlaveKey } from "./slave-key.ts";
import type { BrokerStore } from "./store.ts";
import type { ReadTls, TlsFiles } from "./tls/read-tls.ts";
import { watchTls } from "./tls/watch-tls.ts";
import { Wakes } from "./wakes.ts";

export type BrokerWakes = {
  wake(topic: "vm", vmId?: number): void;
  close(): void;
};

export type BrokerDeps = {
  readonly listen: ListenOptions;
  readonly store: BrokerStore;
  readonly auth: PasswordVerifier & AuthAsker;
  /** Connects to the box's wakes; `onWake` gets those of the other processes. */
  readonly connectWakes: (
    onWake: (wake: { topic: string; vmId?: number | undefined }) => void,
  ) => BrokerWakes;
  readonly log: Log;
  /** Aborted: have balancers send nobody any more, then take no new clients and end with the last session. */
  readonly signal: AbortSignal;
  /** Aborted: the same without the first part, since successors have the port. */
  readonly replaced?: AbortSignal;
  /** Aborted: end now. */
  readonly endNow?: AbortSignal;
  readonly limits?: Partial<BrokerLimits>;
  /** Who is signed in by browser; without it browsers find nothing here. */
  readonly web?: WebStore;
  /** Who visits screens that aren't theirs; without it nobody does. */
  readonly visits?: VisitStore;
  /** What proves this box to the others of its site; without it sessions of other boxes can't be reached. */
  readonly identity?: BoxIdentity;
  /** Where the box's node lets its brokers to the screens of machines. */
  readonly consoleSocket?: string;
  /** Where `listen` has its TLS from, to be looked at again and again. */
  readonly tls?: { readonly files: TlsFiles; readonly first: ReadTls };
  /** The store tells which workers are gone, so what they leave open is looked for all the time. */
  readonly findsOrphans?: boolean;
  /** Called at each change, and every few seconds besides. */
  readonly onState?: (state: BrokerState) => void;
  readonly onReady?: (port: number) => void;
};

const NEVER = new AbortController().signal;
const TELL_EVERY_MS = 2_000;

export async function runBroker(deps: BrokerDeps): Promise<void> {
  const { log } = deps;
  const store = closeOrphansFirst(deps.store, log);
  const limits = { ...BROKER_LIMITS, ...deps.limits };
  const over = new AbortController();
  const wakes = new Wakes();
  const sessions = new LiveSessions();
  const recorder = new Recorder(store, log);
  const leaving = new Leaving();
  const relays = new Relays();
  let gateway: Gateway | undefined;
  const box = deps.connectWakes(({ topic, vmId }) => {
    if (topic !== "vm") return;
    wakes.notify(vmId);
    sessions.notify(vmId);
    gateway?.notify();
  });
  const wake = (vmId: VmId) => {
    box.wake("vm", vmId);
    // The box's wakes don't come back to their sender, and a takeover may be between two clients of ours.
    sessions.notify(vmId);
    wakes.notify(vmId);
  };
  const shared = {
    store,
    log,
    limits,
    wakes,
    sessions,
    wake,
    recorder,
    leaving,
    relays,
    auth: deps.auth,
    tokens: createTokenMaker(deps.auth),
    identity: deps.identity,
    consoleSocket: deps.consoleSocket,
    createSlaveKey: () => createSlaveKey((into) => crypto.getRandomValues(into)),
    recordEnd: (id: SessionId, cause: string) =>
      recorder.ended(id, { cause, bytesToClient: 0, bytesFromClient: 0 }),
  };
  gateway =
    deps.web === undefined ? undefined : startGateway({ ...shared, web: deps.web, visits: deps.visits });
  const server = listenOrExplain({ ...shared, gateway }, deps.listen);
  const { pollMs: everyMs, trafficMs } = limits;
  const teller = new StateTeller(deps, { server, sessions, relays });
  const watching = Promise.all([
    sessions.watch(store, log, { everyMs, trafficMs, signal: over.signal }),
    deps.findsOrphans && watchOrphans(store, log, { everyMs: limits.orphansMs, signal: over.signal }),
    teller.watchTls(limits.tlsLookMs, over.signal),
    teller.tellOn(over.signal),
  ]);
  log.info("broker-started", { address: deps.listen.address, port: server.port });
  deps.onReady?.(server.port);
  await untilDrain(deps, { limits, leaving, teller });
  await drain(deps, { limits, server, sessions, relays, store, teller });
  await waitFor(() => sessions.count === 0, { timeoutMs: 3_000 });
  server.stop();
  await recorder.settle(3_000);
  over.abort();
  await watching;
  box.close();
  log.info("broker-stopped");
}

async function untilDrain(
  { signal, replaced = NEVER, endNow = NEVER, log }: BrokerDeps,
  parts: { readonly limits: BrokerLimits; readonly leaving: Leaving; readonly teller: StateTeller },
): Promise<void> {
  const { limits, leaving, teller } = parts;
  const over = AbortSignal.any([replaced, endNow]);
  await aborted(AbortSignal.any([signal, over]));
  if (over.aborted || !leaving.isAsked(performance.now())) return;
  log.info("broker-leaving", { forMs: limits.leaveMs });
  leaving.begin();
  teller.tell({ phase: "leaving" });
  await sleep(limits.leaveMs, over);
}

type Draining = {
  readonly limits: BrokerLimits;
  readonly server: Listening;
  readonly sessions: LiveSessions;
  readonly relays: Relays;
  readonly store: BrokerStore;
  readonly teller: StateTeller;
};

/** Until the last connection is gone, or the time is over: then what is left is ended. */
async function drain({ log, endNow = NEVER }: BrokerDeps, draining: Draining): Promise<void> {
  const { limits, server, sessions, relays, store, teller } = draining;
  log.info("broker-draining", { open: server.openCount(), forMs: limits.drainMs });
  server.drain();
  const deadlineMs = performance.now() + limits.drainMs;
  teller.tell({ phase: "draining", deadlineAtMs: Date.now() + limits.drainMs });
  const announced = new AbortController();
  const announcing = announceEnds(
    { store, relays, log },
    {
      deadlineMs,
      signal: AbortSignal.any([announced.signal, endNow]),
    },
  );
  await waitFor(() => server.openCount() === 0, { timeoutMs: limits.drainMs, everyMs: 200, signal: endNow });
  announced.abort();
  await announcing;
  // The brokers that record them see no more than that a connection broke off.
  if (relays.count > 0) await Promise.race([announce({ store, relays, log }, 0), sleep(ANNOUNCE_MS)]);
  const count = sessions.count + relays.count;
  if (count > 0) log.warn("sessions-ended-with-drain", { sessions: count });
  sessions.endAll(endNow.aborted ? "broker-stopped" : "broker-replaced");
}

const ANNOUNCE_EVERY_MS = 30_000;
/** For the last word; a database that is away is not waited for. */
const ANNOUNCE_MS = 2_000;

type Announcing = { readonly store: BrokerStore; readonly relays: Relays; readonly log: Log };

/** Again and again: who was choosing a desktop when the drain began has a session later. */
async function announceEnds(
  deps: Announcing,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await announce(deps, Math.max(0, deadlineMs - performance.now()));
    await sleep(ANNOUNCE_EVERY_MS, signal);
  }
}

async function announce({ store, relays, log }: Announcing, inMs: number): Promise<void> {
  await store
    .announceEnds(inMs, relays.ids)
    .catch((error: unknown) => log.warn("session-ends-not-announced", { error }));
}

/** A worker that was replaced has no successor of its number that would clean up after its sudden end. */
async function watchOrphans(
  store: BrokerStore,
  log: Log,
  { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    await sleep(everyMs, signal);
    if (signal.aborted) return;
    const count = await store.closeOrphans().catch(() => {
      // The database is away; the next look finds them.
      return 0;
    });
    if (count > 0) log.info("orphan-sessions-closed", { count });
  }
}

/** Puts together what this worker says of itself. */
class StateTeller {
  readonly #deps: BrokerDeps;
  readonly #parts: Pick<Draining, "server" | "sessions" | "relays">;
  #said: Pick<BrokerState, "phase" | "deadlineAtMs" | "certificateEndsAtMs" | "tlsFault">;

  constructor(deps: BrokerDeps, parts: Pick<Draining, "server" | "sessions" | "relays">) {
    this.#deps = deps;
    this.#parts = parts;
    const first = deps.tls?.first;
    this.#said = {
      phase: "listening",
      deadlineAtMs: null,
      certificateEndsAtMs: first?.certificateEndsAtMs ?? null,
      tlsFault: first?.lapsed ?? null,
    };
    if (first?.lapsed !== undefined) deps.log.warn("tls-lapsed", { reason: first.lapsed });
  }

  tell(
    change: Partial<Pick<BrokerState, "phase" | "deadlineAtMs" | "certificateEndsAtMs" | "tlsFault">>,
  ): void {
    this.#said = { ...this.#said, ...change };
    const { server, sessions, relays } = this.#parts;
    const [open, turnedAway] = [Math.max(0, server.openCount()), server.turnedAway()];
    this.#deps.onState?.({ ...this.#said, open, turnedAway, sessions: sessions.count + relays.count });
  }

  async tellOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.tell({});
      await sleep(TELL_EVERY_MS, signal);
    }
  }

  async watchTls(everyMs: number, signal: AbortSignal): Promise<void> {
    const { tls, log } = this.#deps;
    if (tls === undefined) return;
    const use = ({ tls: renewed, certificateEndsAtMs }: ReadTls) => {
      // One that drains has no port any more.
      if (this.#said.phase !== "draining") this.#parts.server.renew(renewed);
      log.info("tls-renewed", { certificate: tls.files.certificate.path });
      this.tell({ certificateEndsAtMs, tlsFault: null });
    };
    const keep = (reason: string) => {
      log.error("tls-not-renewed", { reason, advice: "what was there before stays in use" });
      this.tell({ tlsFault: reason });
    };
    const { files, first } = tls;
    await watchTls(
      { files, inUse: first.signs, everyMs, nowMs: Date.now, onRenewed: use, onFault: keep },
      signal,
    );
  }
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
