/**
 * The agent's end of the guest channel: connects for ever, greets, and hands over what the node says. The
 * node may be away for long (its process restarts while desktops go on); then one try in two seconds is all
 * that happens.
 */

import { backoffMs } from "../lib/backoff.ts";
import { LineSplitter } from "../lib/lines.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import {
  type FromGuest,
  formatGuestMessage,
  GUEST_WIRE_VERSION,
  MOST_LINE_BYTES,
  type ToGuest,
} from "../wire/guest/messages.ts";
import { parseToGuest } from "../wire/guest/parse-to-guest.ts";
import type { Dial, Wire } from "./dial.ts";

export type UnlockAnswer = Extract<ToGuest, { type: "unlock-verdict" }>;
export type Welcome = Extract<ToGuest, { type: "welcome" }>;
export type Order = Exclude<ToGuest, { type: "welcome" | "unlock-verdict" }>;

/** One life of the connection; answers go where their order came from, or nowhere. */
export type Link = { send(message: FromGuest): void };

export type AttachOptions = {
  readonly dial: Dial;
  readonly boot: string;
  readonly log: Log;
  readonly random: () => string;
  readonly onAttached: (link: Link, welcome: Welcome) => void;
  readonly onDetached: () => void;
  readonly onOrder: (order: Order, link: Link) => void;
  readonly onUnlockAnswer?: (answer: UnlockAnswer) => void;
};

const WELCOME_TIMEOUT_MS = 10_000;
const BACKOFF = { firstMs: 100, mostMs: 2_000 };
const MOST_UNSENT_BYTES = 256 * 1024;

/** Runs until the signal aborts. */
export async function attach(options: AttachOptions, signal: AbortSignal): Promise<void> {
  let tries = 0;
  while (!signal.aborted) {
    const wasWelcome = await liveOnce(options, signal);
    tries = wasWelcome ? 1 : tries + 1;
    await sleep(backoffMs(tries, BACKOFF), signal);
  }
}

/** One connection from its start to its end; true when the node welcomed us. */
function liveOnce(options: AttachOptions, signal: AbortSignal): Promise<boolean> {
  const attachment = options.random();
  const splitter = new LineSplitter(MOST_LINE_BYTES);
  let isWelcome = false;
  let unsent: Uint8Array = new Uint8Array(0);
  return new Promise((resolve) => {
    let wire: Wire | undefined;
    const timer = setTimeout(end, WELCOME_TIMEOUT_MS);
    signal.addEventListener("abort", end, { once: true });
    const link: Link = { send: (message) => write(formatGuestMessage(message)) };

    function end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      wire?.terminate();
      wire = undefined;
      if (isWelcome) options.onDetached();
      resolve(isWelcome);
    }
    function write(text: string) {
      if (wire === undefined) return;
      const bytes = Buffer.concat([unsent, Buffer.from(text)]);
      unsent = bytes.subarray(Math.max(0, wire.write(bytes)));
      // A node that doesn't read is as good as none; a new connection starts clean.
      if (unsent.length > MOST_UNSENT_BYTES) end();
    }
    function take(line: string | null) {
      if (line === null || line === "") return;
      const parsed = parseToGuest(line);
      if (!parsed.isGood) {
        options.log.warn("guest-order-refused", { reason: parsed.reason });
        if (isWelcome && parsed.order !== null) {
          link.send({ type: "failed", order: parsed.order, fault: "bad-order", text: parsed.reason });
        }
      } else if (parsed.message.type === "unlock-verdict") {
        if (isWelcome) options.onUnlockAnswer?.(parsed.message);
      } else if (parsed.message.type !== "welcome") {
        if (isWelcome) options.onOrder(parsed.message, link);
      } else if (parsed.message.attachment === attachment && !isWelcome) {
        clearTimeout(timer);
        isWelcome = true;
        options.onAttached(link, parsed.message);
      }
    }

    options.dial({
      open(opened) {
        wire = opened;
        const hello = {
          type: "hello",
          version: GUEST_WIRE_VERSION,
          attachment,
          boot: options.boot,
        } as const;
        write(`\n${formatGuestMessage({ ...hello, agentPid: process.pid })}`);
      },
      data(chunk) {
        for (const line of splitter.push(chunk)) take(line);
      },
      drain: () => write(""),
      end,
    });
  });
}
