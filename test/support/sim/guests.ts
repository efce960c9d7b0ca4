/** What speaks inside simulated desktops, and the guest channels that hear it, by a hand-driven clock. */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { VmId } from "../../../src/domain/ids.ts";
import type { XState } from "../../../src/domain/session/x-state.ts";
import type { SimGuest, SimGuestBehaviour } from "../../../src/hypervisor/sim/sim-hypervisor.ts";
import type { Timers } from "../../../src/lib/clock.ts";
import { AppError } from "../../../src/lib/errors.ts";
import {
  type ChannelPlace,
  type GuestChannels,
  type GuestEvent,
  type GuestSnapshot,
  isMostSilent,
} from "../../../src/node/guest-channel/guest-channels.ts";

const ANSWER_MS = 20;
const SESSION_MS = 200;
const ATTACH_MS = 50;

type Hear = (vmId: VmId, event: GuestEvent) => void;

/** The agent of one life of a desktop. */
export class ScriptedGuest implements SimGuest {
  readonly boot: string;
  readonly behaviour: SimGuestBehaviour;
  readonly #onPresence: () => void;
  isPresent = false;
  /** Takes orders and never answers. */
  isMute = false;
  xState: XState = "none";
  session: number | null = null;

  constructor(boot: string, behaviour: SimGuestBehaviour, onPresence: () => void) {
    this.boot = boot;
    this.behaviour = behaviour;
    this.#onPresence = onPresence;
  }

  attach(): void {
    this.isPresent = true;
    this.#onPresence();
  }

  leave(): void {
    this.isPresent = false;
    this.#onPresence();
  }
}

/** The guests of one box; node processes come and go, each with channels of its own. */
export class SimGuests {
  readonly guests = new Map<VmId, ScriptedGuest>();
  #channels: SimChannels | undefined;
  #boots = 0;

  make(vmId: VmId, behaviour: SimGuestBehaviour): ScriptedGuest {
    const guest = new ScriptedGuest(`boot-${++this.#boots}`, behaviour, () => this.#channels?.look(vmId));
    this.guests.set(vmId, guest);
    return guest;
  }

  openChannels(timers: Timers, hear: Hear): SimChannels {
    this.#channels = new SimChannels(this, timers, hear);
    return this.#channels;
  }

  say(vmId: VmId, event: GuestEvent): void {
    this.#channels?.hear(vmId, event);
  }
}

/** As `createGuestChannels` makes them, without sockets. */
export class SimChannels implements GuestChannels {
  readonly #guests: SimGuests;
  readonly #timers: Timers;
  readonly #hear: Hear;
  readonly #open = new Map<VmId, { isAttached: boolean; boot: string | null }>();

  constructor(guests: SimGuests, timers: Timers, hear: Hear) {
    this.#guests = guests;
    this.#timers = timers;
    this.#hear = hear;
  }

  open(vmId: VmId, place: ChannelPlace): void {
    if (this.#open.has(vmId)) return;
    mkdirSync(dirname(place.socketPath), { recursive: true });
    this.#open.set(vmId, { isAttached: false, boot: null });
    this.#timers.after(ATTACH_MS, () => this.look(vmId));
  }

  close(vmId: VmId): void {
    this.#open.delete(vmId);
  }

  areMostSilent(): boolean {
    return isMostSilent([...this.#open.values()].map(({ isAttached }) => isAttached));
  }

  /** Nobody locks a screen in a simulation. */
  answerUnlock(): void {}

  closeAll(): void {
    this.#open.clear();
  }

  /** Compares whether its agent is there with what was known. */
  look(vmId: VmId): void {
    const channel = this.#open.get(vmId);
    const guest = this.#guests.guests.get(vmId);
    if (channel === undefined) return;
    const isPresent = guest?.isPresent === true;
    if (isPresent === channel.isAttached && guest?.boot === channel.boot) return;
    channel.isAttached = isPresent;
    if (guest !== undefined && isPresent) {
      const isNewBoot = guest.boot !== channel.boot;
      channel.boot = guest.boot;
      this.#hear(vmId, { type: "attached", boot: guest.boot, isNewBoot });
    } else this.#hear(vmId, { type: "detached", reason: "its agent went away" });
  }

  hear(vmId: VmId, event: GuestEvent): void {
    if (this.#open.has(vmId)) this.#hear(vmId, event);
  }

  read(vmId: VmId): GuestSnapshot | undefined {
    const channel = this.#open.get(vmId);
    if (channel === undefined) return undefined;
    const guest = this.#guests.guests.get(vmId);
    return {
      isAttached: channel.isAttached,
      boot: channel.boot,
      lastBeatMs: null,
      address: null,
      xState: guest?.xState ?? "none",
      session: guest?.session ?? null,
      garbageCount: 0,
    };
  }

  prepareSession(vmId: VmId, request: { readonly session: number }, timeoutMs = 60_000): Promise<void> {
    return this.#order(vmId, { what: "preparing the session", timeoutMs, takesMs: SESSION_MS }, (guest) => {
      if (guest.behaviour.failsSessions())
        throw new AppError("guest-failed", "nxagent ended at once (session-start-failed)");
      guest.session = request.session;
      this.#setX(vmId, guest, "listening");
    });
  }

  suspendSession(vmId: VmId, timeoutMs = 30_000): Promise<void> {
    return this.#order(vmId, { what: "suspending the session", timeoutMs, takesMs: SESSION_MS }, (guest) =>
      this.#setX(vmId, guest, "suspended"),
    );
  }

  stopSession(vmId: VmId, timeoutMs = 30_000): Promise<void> {
    return this.#order(vmId, { what: "stopping the session", timeoutMs, takesMs: SESSION_MS }, (guest) =>
      this.#setX(vmId, guest, "none"),
    );
  }

  powerOff(vmId: VmId, timeoutMs = 30_000): Promise<void> {
    return this.#order(vmId, { what: "powering off", timeoutMs, takesMs: ANSWER_MS }, (guest) =>
      guest.behaviour.onPoweroff(),
    );
  }

  async notify(): Promise<void> {}

  #setX(vmId: VmId, guest: ScriptedGuest, xState: XState): void {
    guest.xState = xState;
    this.hear(vmId, { type: "session-changed", xState, session: guest.session });
  }

  #order(
    vmId: VmId,
    order: { readonly what: string; readonly timeoutMs: number; readonly takesMs: number },
    act: (guest: ScriptedGuest) => void,
  ): Promise<void> {
    const { what, timeoutMs, takesMs } = order;
    const guest = this.#guests.guests.get(vmId);
    if (guest === undefined || this.#open.get(vmId)?.isAttached !== true)
      return Promise.reject(new AppError("unavailable", `${what}: the agent is not attached`));
    return new Promise((resolve, reject) => {
      const isMute = guest.isMute;
      this.#timers.after(isMute ? timeoutMs : takesMs, () => {
        if (isMute) return reject(new AppError("timeout", `${what}: the agent gave no answer`));
        if (!guest.isPresent) return reject(new AppError("unavailable", `${what}: its agent went away`));
        try {
          act(guest);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
