/**
 * The display door: a port of the desktop that its agent opens while somebody sits at it by browser. The broker
 * connects, once a channel, and says what it wants:
 *
 *     broker                                        agent
 *       │  QVD-DISPLAY/1 <key> <channel> <argument>\n │   one line; the key is the session's, known to both
 *       │ ──────────────────────────────────────────► │
 *       │                OK\n   or   NO <reason>\n     │   after NO the connection ends
 *       │ ◄────────────────────────────────────────── │
 *       │  bytes of the channel, both ways             │
 *
 * `rfb` carries the screen as RFB 3.8; its argument `direct` says that the broker would rather come to the X server itself. Where
 * there is one to come to the answer is `DIRECT`: nothing more passes here, the broker goes to the port of the screen
 * (`viewer-proof.ts`), and the connection stays as the viewer's seat, which either side ends.
 *
 * `control` carries JSON lines (`control.ts`). `upload` and `download` carry a file each (`transfer.ts`), `sound` and
 * `microphone` a way of sound each (`sound.ts`).
 */

import { NX_DISPLAY } from "../guest/messages.ts";

export const DISPLAY_PORT = 5000 + NX_DISPLAY;
/** A longer first line, of either side, ends the connection. */
export const MOST_HELLO_BYTES = 2048;

export const DISPLAY_CHANNELS = ["rfb", "control", "upload", "download", "sound", "microphone"] as const;
export type DisplayChannel = (typeof DISPLAY_CHANNELS)[number];

export type DisplayHello = {
  readonly key: string;
  readonly channel: DisplayChannel;
  /** Of the channel's own kind; empty for most. */
  readonly argument: string;
};

const HELLO = /^QVD-DISPLAY\/1 ([A-Za-z0-9+/=_-]{1,128}) ([a-z]{1,16})(?: ([A-Za-z0-9_-]{0,1800}))?$/;

/** `argument` is any text; it travels as base64url. */
export function formatDisplayHello({ key, channel, argument }: DisplayHello): string {
  const coded = Buffer.from(argument, "utf8").toString("base64url");
  return `QVD-DISPLAY/1 ${key} ${channel}${coded === "" ? "" : ` ${coded}`}\n`;
}

/** Undefined when the line is none of ours. */
export function parseDisplayHello(line: string): DisplayHello | undefined {
  const found = HELLO.exec(line);
  const [, key, name, coded = ""] = found ?? [];
  const channel = DISPLAY_CHANNELS.find((one) => one === name);
  if (key === undefined || channel === undefined) return undefined;
  return { key, channel, argument: Buffer.from(coded, "base64url").toString("utf8") };
}

export const DISPLAY_ACCEPTED = "OK";
/** As argument of `rfb`, and as answer to it. */
export const DISPLAY_DIRECT = { argument: "direct", answer: "DIRECT" } as const;

/** What the agent says of a hello that it refuses; one line. */
export function formatDisplayRefusal(reason: string): string {
  return `NO ${reason.replace(/[\p{Cc}\s]+/gu, " ").slice(0, 200)}\n`;
}
