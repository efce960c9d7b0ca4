/**
 * Which channels beside the screen a session opens: only what the client's parameters ask for, as the node has
 * composed them, so a property or a setting that says otherwise has gone over the client's word already.
 */

import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";

/** Where nxagent listens inside the desktop while a client is connected, on loopback. */
export const SOUND_PORT = 7000 + NX_DISPLAY;
export const PRINT_PORT = 2000 + NX_DISPLAY;
export const SLAVE_PORT = 11_000 + NX_DISPLAY;

export type ChannelPlan = {
  readonly sound: "off" | "playback" | "both-ways";
  /** `unserved` is asked for in a way that this guest can't serve. */
  readonly printing: "off" | "cups" | "smb" | "slave" | "unserved";
  readonly isSharing: boolean;
};

export const NO_CHANNELS: ChannelPlan = { sound: "off", printing: "off", isSharing: false };

export function planChannels(client: ClientParameters): ChannelPlan {
  const given = client.given ?? {};
  // No client of QVD 4 says at its start whether it will share: the channel waits for one unless it was told off.
  const isSharing = given["qvd.client.slave.enable"] !== "0";
  const printing = given["qvd.client.printing.enabled"] === "1" ? planPrinting(client) : "off";
  return {
    sound: planSound(given),
    printing: printing === "slave" && !isSharing ? "unserved" : printing,
    isSharing,
  };
}

/** The words of nxagent's options line. */
export function channelOptions(plan: ChannelPlan): readonly (readonly [string, string])[] {
  return [
    ...(plan.sound === "off" ? [] : [["media", "1"] as const]),
    ...(plan.printing === "cups" || plan.printing === "smb"
      ? [[plan.printing, `${PRINT_PORT}`] as const]
      : []),
    ...(plan.isSharing ? [["slave", "1"] as const] : []),
  ];
}

function planSound(given: Readonly<Record<string, string>>): ChannelPlan["sound"] {
  if (given["qvd.client.audio.microphone.enable"] === "1") return "both-ways";
  const sound = given["qvd.client.audio.sound.enable"];
  // The Perl client speaks of nothing but the compression of its sound.
  const isSpokenOf = given["qvd.client.audio.compression.enable"] !== undefined;
  return sound === "1" || (sound === undefined && isSpokenOf) ? "playback" : "off";
}

/** Windows clients offer their shared printers by SMB unless they say otherwise, as the Perl client does. */
function planPrinting(client: ClientParameters): ChannelPlan["printing"] {
  const flavor = client.given?.["qvd.client.printing.flavor"] ?? (client.os === "windows" ? "cifs" : "ipp");
  return FLAVORS[flavor] ?? "unserved";
}

/** QVD 4's words for how a client's printers are reached. */
const FLAVORS: Readonly<Record<string, ChannelPlan["printing"]>> = {
  ipp: "cups",
  cifs: "smb",
  slave4: "slave",
};
