/**
 * One connection of an agent, from its first byte to its end: cuts the bytes into lines, holds the agent to
 * its limits, checks the hello, and passes good messages on. Knows nothing of orders or of the desktop's
 * other connections; `channel.ts` does.
 */

import { LineSplitter } from "../../lib/lines.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import {
  type FromGuest,
  formatGuestMessage,
  MOST_LINE_BYTES,
  type ToGuest,
} from "../../wire/guest/messages.ts";
import { isGuestVersionSpoken, parseFromGuest } from "../../wire/guest/parse-from-guest.ts";
import type { ChannelLimits } from "./limits.ts";

export type Hello = Extract<FromGuest, { type: "hello" }>;

/** What an attachment needs of a socket; returns of `write` are bytes taken, less when the peer reads slowly. */
export type PeerSocket = { write(data: Uint8Array): number; terminate(): void };

export type AttachmentEvents = {
  hello(attachment: Attachment, hello: Hello): void;
  message(attachment: Attachment, message: Exclude<FromGuest, Hello>): void;
  garbage(attachment: Attachment, reason: string): void;
  /** The agent broke a limit; the connection is to be ended and the desktop made to wait. */
  overLimit(attachment: Attachment, reason: string): void;
};

export class Attachment {
  readonly #socket: PeerSocket;
  readonly #events: AttachmentEvents;
  readonly #limits: ChannelLimits;
  readonly #nowMs: () => number;
  readonly #splitter = new LineSplitter(MOST_LINE_BYTES);
  readonly #bucket: TokenBucket;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #garbage = 0;
  #isClosed = false;
  #hello: Hello | undefined;

  constructor(
    socket: PeerSocket,
    events: AttachmentEvents,
    options: { limits: ChannelLimits; nowMs: () => number },
  ) {
    this.#socket = socket;
    this.#events = events;
    this.#limits = options.limits;
    this.#nowMs = options.nowMs;
    this.#bucket = new TokenBucket(options.limits.lines, options.nowMs());
  }

  get hasGreeted(): boolean {
    return this.#hello !== undefined;
  }

  receive(chunk: Uint8Array): void {
    // Bytes cost too: long lines are the dearest to read.
    if (!this.#bucket.take(chunk.length / this.#limits.bytesPerLineToken, this.#nowMs())) {
      this.#events.overLimit(this, "it sends too many bytes");
      return;
    }
    for (const line of this.#splitter.push(chunk)) {
      if (this.#isClosed) return;
      if (this.#bucket.take(1, this.#nowMs())) this.#takeLine(line);
      else this.#events.overLimit(this, "it sends too many lines");
    }
  }

  #takeLine(line: string | null): void {
    if (line === "") return;
    const parsed = line === null ? undefined : parseFromGuest(line);
    if (parsed?.isGood !== true) {
      // Before the hello lies what an earlier agent left half sent: dropped, and nobody's fault.
      if (this.#hello !== undefined) this.reportGarbage(parsed?.reason ?? "the line is too long");
      return;
    }
    const message = parsed.message;
    if (message.type === "hello") this.#greet(message);
    else if (this.#hello !== undefined) this.#events.message(this, message);
  }

  #greet(hello: Hello): void {
    if (this.#hello !== undefined) this.reportGarbage("a second hello on one connection");
    else if (!isGuestVersionSpoken(hello.version)) {
      this.#events.overLimit(this, `its version ${hello.version} is not spoken here`);
    } else {
      this.#hello = hello;
      this.#events.hello(this, hello);
    }
  }

  /** Counts a message that made no sense; past the limit the connection is at its end. */
  reportGarbage(reason: string): void {
    this.#garbage += 1;
    this.#events.garbage(this, reason);
    if (this.#garbage >= this.#limits.mostGarbage) this.#events.overLimit(this, "it sends garbage");
  }

  send(message: ToGuest): void {
    if (this.#isClosed) return;
    const bytes = new TextEncoder().encode(formatGuestMessage(message));
    if (this.#unsentBytes + bytes.length > this.#limits.mostUnsentBytes) {
      this.#events.overLimit(this, "it does not read what is sent to it");
      return;
    }
    this.#unsentBytes += bytes.length;
    this.#unsent.push(bytes);
    this.flush();
  }

  /** To be called when the socket takes bytes again. */
  flush(): void {
    for (let first = this.#unsent[0]; first !== undefined && !this.#isClosed; first = this.#unsent[0]) {
      const taken = Math.max(0, this.#socket.write(first));
      this.#unsentBytes -= taken;
      if (taken < first.length) {
        this.#unsent[0] = first.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsent = [];
    this.#socket.terminate();
  }
}
