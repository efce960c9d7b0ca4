/**
 * Sessions that begin with their desktops, before there is an agent to tell of them (`guest/session/order-script.ts`): sees
 * in the kernel's tables of the desktop's network when nxagent listens, and keeps the agents back meanwhile, so that the
 * processors are first of all for those who wait. Remembers nothing that is needed after a start; decides nothing.
 *
 *     expect ──► watch ──► listening: onListening      agents go when nobody waits any more (letGoBetween), or after HOLD_MS
 */

import type { SessionId, VmId } from "../domain/ids.ts";
import type { EarlySession } from "../domain/vm/facts.ts";
import type { Hypervisor } from "../hypervisor/driver.ts";
import type { Clock, Timers } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { NX_PORT } from "../wire/guest/messages.ts";
import type { AgentGates, OpenGate } from "./agent-gate.ts";

export type EarlySessionsDeps = {
  readonly isListening: NonNullable<Hypervisor["isListening"]>;
  readonly gates: AgentGates;
  readonly onListening: (vmId: VmId) => void;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Timers;
  readonly log: Log;
};

export type ExpectedSession = {
  readonly sessionId: SessionId;
  readonly gatePath: string;
  readonly ownerUid: number;
};

type Expected = {
  readonly sessionId: SessionId;
  readonly openGate: OpenGate;
  readonly callOffHold: () => void;
  /** Its agent may be waiting. */
  isShut: boolean;
  isListening: boolean;
  callOffLook: () => void;
};

/** At most so long an agent is kept back: sound, printing and shared folders wait for it. */
const HOLD_MS = 3_000;
/**
 * nxagent takes longer than the first; the others come at a twentieth of what has passed. Between two it rests four times as
 * long as one took: where desktops share the machine's table of connections, one may take 20 ms.
 */
const LOOK = { firstMs: 8, leastMs: 1, mostMs: 200, part: 0.05, rest: 4 };
/** By then its agent has said what there is. */
const LOOKS_END_MS = 10_000;

export class EarlySessions {
  readonly #deps: EarlySessionsDeps;
  readonly #expected = new Map<VmId, Expected>();

  constructor(deps: EarlySessionsDeps) {
    this.#deps = deps;
  }

  /** Before the desktop's init can see the order. */
  expect(vmId: VmId, { sessionId, gatePath, ownerUid }: ExpectedSession): void {
    this.end(vmId);
    const open = this.#deps.gates.shut(gatePath, ownerUid);
    const openGate = () => {
      expected.isShut = false;
      open();
    };
    const callOffHold = this.#deps.timers.after(HOLD_MS, openGate);
    const state = { isShut: true, isListening: false, callOffLook: () => {} };
    const expected: Expected = { sessionId, openGate, callOffHold, ...state };
    this.#expected.set(vmId, expected);
  }

  /** What a node process before kept shut goes on. */
  openLeft(gatePath: string): void {
    this.#deps.gates.openLeft(gatePath);
  }

  /** Once the container is there. */
  watch(vmId: VmId): void {
    const expected = this.#expected.get(vmId);
    if (expected === undefined) return;
    const { clock, timers, onListening, isListening } = this.#deps;
    const beganAtMs = clock.monotonicMs();
    const look = () => {
      const lookedAtMs = clock.monotonicMs();
      const passedMs = lookedAtMs - beganAtMs;
      if (isListening(vmId, NX_PORT)) {
        expected.isListening = true;
        onListening(vmId);
      } else if (passedMs < LOOKS_END_MS) {
        const restMs = (clock.monotonicMs() - lookedAtMs) * LOOK.rest;
        lookAgain(Math.min(LOOK.mostMs, Math.max(LOOK.leastMs, passedMs * LOOK.part, restMs)));
      }
    };
    const lookAgain = (ms: number) => {
      expected.callOffLook = timers.after(ms, look);
    };
    lookAgain(LOOK.firstMs);
  }

  /** Undefined of a desktop that has none. */
  read(vmId: VmId): EarlySession | undefined {
    const expected = this.#expected.get(vmId);
    return expected && { sessionId: expected.sessionId, isListening: expected.isListening };
  }

  /** Lets the agents go when nobody waits for a session of this box: no turn is held, and each that listens was told of. */
  letGoBetween(
    starts: { readonly isIdle: boolean },
    desktops: ReadonlyMap<VmId, { readonly running: unknown }>,
  ): void {
    if (!starts.isIdle) return;
    // Those that were let go before stay here as long as their desktops do, and may be busy with anything.
    const held = [...this.#expected].filter(([, { isShut }]) => isShut);
    if (held.some(([vmId]) => desktops.get(vmId)?.running !== undefined)) return;
    for (const [, { openGate }] of held) openGate();
  }

  /** When the desktop's start is over, however it went. */
  end(vmId: VmId): void {
    const expected = this.#expected.get(vmId);
    if (expected === undefined) return;
    this.#expected.delete(vmId);
    expected.callOffHold();
    expected.callOffLook();
    expected.openGate();
  }

  endAll(): void {
    for (const vmId of [...this.#expected.keys()]) this.end(vmId);
  }
}
