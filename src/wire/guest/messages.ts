/**
 * The guest channel: JSON lines between the node and the agent inside a desktop, over a unix socket that the
 * node owns (`guest.sock` in a folder bound read-only into the desktop).
 *
 *     agent                                   node
 *       │  "\n" + hello {attachment id}         │   the newline ends whatever was cut off before
 *       │ ────────────────────────────────────► │
 *       │            welcome {attachment id}    │   what came before the matching welcome is dropped
 *       │ ◄──────────────────────────────────── │
 *       │  beat every BEAT_MS, session on every change, done/failed for each order with an id
 *       │ ────────────────────────────────────► │
 *       │  session-prepare, session-suspend, session-stop, power-off, notice {order id}
 *       │ ◄──────────────────────────────────── │
 *
 * The guest trusts the host. The host treats every byte from the guest as hostile: `parse-from-guest.ts`.
 * The wire accepts the version before its own.
 */

import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import type { XState } from "../../domain/session/x-state.ts";

export const GUEST_WIRE_VERSION = 1;
/** A longer line is dropped. */
export const MOST_LINE_BYTES = 64 * 1024;
export const BEAT_MS = 5_000;
/** The X display of the session; its NX port is 4000 more. The original's number, so images need no change. */
export const NX_DISPLAY = 100;
export const NX_PORT = 4000 + NX_DISPLAY;

/** The account that the session runs as; made on first use, never uid 0. */
export type GuestAccount = {
  readonly login: string;
  readonly uid: number;
  readonly fullName: string;
};

/** Why an order failed: a closed list for programs, a sentence for people. */
export const GUEST_FAULTS = [
  "account-refused",
  "account-failed",
  "home-missing",
  "session-start-failed",
  "session-start-timeout",
  "session-suspend-timeout",
  "session-stop-timeout",
  "session-ended",
  "notice-failed",
  "hook-failed",
  "bad-order",
] as const;
export type GuestFault = (typeof GUEST_FAULTS)[number];

/** When the desktop expires, as ISO 8601; empty when it doesn't in that way. */
export type GuestExpiry = { readonly soft: string; readonly hard: string };

/** The hooks of an image, by QVD 4's names. */
export const GUEST_HOOKS = [
  "pre-connect",
  "connect",
  "suspend",
  "stop",
  "poweroff",
  "expire",
  "connected",
  "suspended",
  "disconnected",
  "mount_home",
  "add_user",
  "after_add_user",
] as const;
export type GuestHook = (typeof GUEST_HOOKS)[number];

/** Channels of the protocol beside the screen. */
export const GUEST_CHANNELS = ["sound", "printing", "sharing"] as const;
export type ChannelName = (typeof GUEST_CHANNELS)[number];

export type FromGuest =
  | {
      readonly type: "hello";
      readonly version: number;
      readonly attachment: string;
      /** Random, made once a boot: the same after a restart of the agent, another after a restart of the desktop. */
      readonly boot: string;
      readonly agentPid: number;
    }
  | { readonly type: "beat"; readonly uptimeSeconds: number; readonly address: string | null }
  | { readonly type: "session"; readonly state: XState; readonly session: number | null }
  | { readonly type: "done"; readonly order: number }
  | { readonly type: "failed"; readonly order: number; readonly fault: GuestFault; readonly text: string }
  /** Somebody inside asked the desktop to power off. */
  | { readonly type: "powering-off" }
  /** Somebody typed this at the locked screen; the node knows whose desktop it is. Never logged. */
  | { readonly type: "unlock"; readonly request: number; readonly secret: string }
  /** A hook of the image failed; what came of it, an order's answer says. */
  | { readonly type: "hook"; readonly hook: GuestHook; readonly text: string }
  /** A channel that the client asked for can't be had; the session goes on without. */
  | { readonly type: "channel"; readonly channel: ChannelName; readonly text: string };

export type ToGuest =
  | {
      readonly type: "welcome";
      readonly version: number;
      readonly attachment: string;
      /** Which of the desktop's lives this is, `EPOCH NUMBER`; absent from nodes of before. */
      readonly incarnation?: string;
    }
  | {
      readonly type: "session-prepare";
      readonly order: number;
      readonly session: number;
      readonly account: GuestAccount;
      readonly client: ClientParameters;
      /** The one address that nxagent lets in: the gateway of the desktop network. */
      readonly accept: string;
      readonly slaveKey: string;
      /** Merged of OSF, image, user and desktop, for the hooks; absent from nodes of before. */
      readonly properties?: Readonly<Record<string, string>>;
      /** What the session is to be shown to; an NX client from nodes of before. */
      readonly access?: "nx" | "browser";
      /** What an authenticator gives the desktop; names begin with qvd. */
      readonly parameters?: Readonly<Record<string, string>>;
      /** Of an application: the command that the session is, instead of the image's own session. */
      readonly program?: string;
    }
  /** Answers `unlock`; no order, and nothing answers it. */
  | {
      readonly type: "unlock-verdict";
      readonly request: number;
      readonly isUnlocked: boolean;
      /** For the person, such as to wait; often empty. */
      readonly text: string;
    }
  | { readonly type: "session-suspend"; readonly order: number }
  | { readonly type: "session-stop"; readonly order: number }
  | { readonly type: "power-off"; readonly order: number }
  /** For the person inside, such as that a newer image waits. */
  | {
      readonly type: "notice";
      readonly order: number;
      readonly text: string;
      /** For the image's hook; absent when the notice is about something else. */
      readonly expiry?: GuestExpiry;
    };

export function formatGuestMessage(message: FromGuest | ToGuest): string {
  return `${JSON.stringify(message)}\n`;
}
