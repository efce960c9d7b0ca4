/**
 * The node's guest channels, one a desktop. Opened before a desktop starts and again after a restart of the
 * node, when the running agent attaches by itself. What a desktop says is kept as a plain snapshot for the
 * node's loop; an event only says that it is worth a look. Channels decide nothing.
 */

import type { VmId } from "../../domain/ids.ts";
import type { XState } from "../../domain/session/x-state.ts";
import type { Clock } from "../../lib/clock.ts";
import { AppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { ChannelName, GuestExpiry, GuestHook, ToGuest } from "../../wire/guest/messages.ts";
import { GuestChannel } from "./channel.ts";
import type { ChannelLimits } from "./limits.ts";

export type GuestSnapshot = {
  readonly isAttached: boolean;
  /** Random, made once a boot of the desktop; null before the first attachment. */
  readonly boot: string | null;
  /** By the monotonic clock; an attachment counts as a beat. */
  readonly lastBeatMs: number | null;
  /** The guest's word: to show, never to connect to. */
  readonly address: string | null;
  /** Last word of the guest; stale while it isn't attached. */
  readonly xState: XState;
  /** Id of the session that was prepared last and still exists. */
  readonly session: number | null;
  readonly garbageCount: number;
};

export type GuestEvent =
  | { readonly type: "attached"; readonly boot: string; readonly isNewBoot: boolean }
  | { readonly type: "detached"; readonly reason: string }
  | { readonly type: "beat" }
  | { readonly type: "session-changed"; readonly xState: XState; readonly session: number | null }
  /** Somebody inside asked the desktop to power off; it goes down by itself. */
  | { readonly type: "powering-off" }
  /** Somebody typed `secret` at its locked screen; whatever comes of it goes back by `answerUnlock`. */
  | { readonly type: "unlock-asked"; readonly request: number; readonly secret: string }
  /** A hook of its image failed; the text is the guest's. */
  | { readonly type: "hook-failed"; readonly hook: GuestHook; readonly text: string }
  /** Sound, printing or sharing can't be had in its session; the text is the guest's. */
  | { readonly type: "channel-failed"; readonly channel: ChannelName; readonly text: string }
  | { readonly type: "garbage"; readonly count: number; readonly reason: string };

export type GuestChannelsOptions = {
  readonly log: Log;
  readonly clock: Clock;
  /** Called from the socket's callbacks: note it down and return. */
  readonly onEvent: (vmId: VmId, event: GuestEvent) => void;
  readonly limits?: Partial<ChannelLimits>;
};

export type PrepareRequest = Omit<Extract<ToGuest, { type: "session-prepare" }>, "type" | "order">;

/** `expiry`: the notice is about it, and the image's hook is told. */
export type NoticeOptions = { readonly timeoutMs?: number; readonly expiry?: GuestExpiry };

/** Ids on the host that the desktop's root has, and where it finds the channel. */
export type ChannelPlace = { readonly socketPath: string; readonly ownerUid: number };

/**
 * Orders resolve when the desktop has done what was asked. They reject with an AppError: `guest-failed` with
 * the guest's reason, `timeout` after their deadline, `unavailable` when the agent isn't attached, goes away
 * or already has too many orders.
 */
export interface GuestChannels {
  /** Makes the socket and listens. A channel already open at the same path is left as it is. */
  open(vmId: VmId, place: ChannelPlace): void;
  /** Removes the socket; orders on their way are rejected. May be called for a desktop without a channel. */
  close(vmId: VmId): void;
  /** Undefined when no channel is open. */
  read(vmId: VmId): GuestSnapshot | undefined;
  /** Most desktops of the box, and more than one, have no agent: then it is no single desktop that is ill. */
  areMostSilent(): boolean;
  /** Done when nxagent waits for a client. */
  prepareSession(vmId: VmId, request: PrepareRequest, timeoutMs?: number): Promise<void>;
  suspendSession(vmId: VmId, timeoutMs?: number): Promise<void>;
  stopSession(vmId: VmId, timeoutMs?: number): Promise<void>;
  /** Done when the session has ended; the desktop then goes down by itself. */
  powerOff(vmId: VmId, timeoutMs?: number): Promise<void>;
  /** Shows a sentence to whoever sits inside; done when it is on the screen. */
  notify(vmId: VmId, text: string, options?: NoticeOptions): Promise<void>;
  /** To nobody where the agent has gone meanwhile. */
  answerUnlock(vmId: VmId, answer: Omit<Extract<ToGuest, { type: "unlock-verdict" }>, "type">): void;
  closeAll(): void;
}

/** The guest's own limits (20 s to suspend, then 20 s to start) and a margin, so that its reason arrives first. */
const PREPARE_TIMEOUT_MS = 60_000;
const SUSPEND_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 30_000;
const NOTIFY_TIMEOUT_MS = 10_000;

export function createGuestChannels(options: GuestChannelsOptions): GuestChannels {
  const channels = new Map<VmId, GuestChannel>();

  function find(vmId: VmId): GuestChannel {
    const channel = channels.get(vmId);
    if (channel === undefined) {
      throw new AppError("unavailable", `giving an order to desktop ${vmId}: its guest channel is not open`);
    }
    return channel;
  }

  function close(vmId: VmId): void {
    channels.get(vmId)?.close();
    channels.delete(vmId);
  }

  return {
    open(vmId, place) {
      if (channels.get(vmId)?.socketPath === place.socketPath) return;
      close(vmId);
      channels.set(vmId, openChannel(vmId, place, options));
    },
    close,
    read: (vmId) => channels.get(vmId)?.snapshot,
    areMostSilent: () => isMostSilent([...channels.values()].map(({ snapshot }) => snapshot.isAttached)),
    prepareSession: async (vmId, request, timeoutMs = PREPARE_TIMEOUT_MS) =>
      find(vmId).order("preparing the session", timeoutMs, (order) => ({
        type: "session-prepare",
        order,
        ...request,
      })),
    suspendSession: async (vmId, timeoutMs = SUSPEND_TIMEOUT_MS) =>
      find(vmId).order("suspending the session", timeoutMs, (order) => ({ type: "session-suspend", order })),
    stopSession: async (vmId, timeoutMs = STOP_TIMEOUT_MS) =>
      find(vmId).order("stopping the session", timeoutMs, (order) => ({ type: "session-stop", order })),
    powerOff: async (vmId, timeoutMs = STOP_TIMEOUT_MS) =>
      find(vmId).order("powering off", timeoutMs, (order) => ({ type: "power-off", order })),
    notify: async (vmId, text, { timeoutMs = NOTIFY_TIMEOUT_MS, expiry } = {}) =>
      find(vmId).order("showing a notice", timeoutMs, (order) => ({
        ...{ type: "notice" as const, order, text },
        ...(expiry === undefined ? {} : { expiry }),
      })),
    answerUnlock: (vmId, answer) => channels.get(vmId)?.send({ type: "unlock-verdict", ...answer }),
    closeAll() {
      for (const vmId of channels.keys()) close(vmId);
    },
  };
}

export function isMostSilent(attached: readonly boolean[]): boolean {
  const silent = attached.filter((isAttached) => !isAttached).length;
  return silent > 1 && silent * 2 > attached.length;
}

function openChannel(vmId: VmId, place: ChannelPlace, options: GuestChannelsOptions): GuestChannel {
  try {
    return new GuestChannel(vmId, { path: place.socketPath, ownerUid: place.ownerUid }, options);
  } catch (cause) {
    throw new AppError(
      "driver-failed",
      `opening the guest channel of desktop ${vmId}: no socket could be made at ${place.socketPath}`,
      { cause },
    );
  }
}
