/** The pipe of one session: joins the sockets, bounds how long a half-closed one lasts, tells how it ended. */

import { PipeEnd, type PipeEvents } from "./pipe.ts";
import type { OwnedSocket } from "./socket.ts";
import type { SessionEnd } from "./store.ts";

export type SessionPipeOptions = {
  readonly halfOpenMs: number;
  /** Called once, when both sockets are gone. */
  readonly onEnded: (end: SessionEnd) => void;
};

/** How long a session that is told to end may take to send what it holds. */
const LAST_WORDS_MS = 1_000;

export class SessionPipe implements PipeEvents {
  readonly #client: PipeEnd;
  readonly #desktop: PipeEnd;
  readonly #options: SessionPipeOptions;
  #open = 2;
  #isEnding = false;
  #cause: string | undefined;
  #timer: Timer | undefined;

  /** Takes both sockets over. */
  constructor(client: OwnedSocket, desktop: OwnedSocket, options: SessionPipeOptions) {
    this.#options = options;
    this.#client = new PipeEnd(client, this);
    this.#desktop = new PipeEnd(desktop, this);
    PipeEnd.join(this.#client, this.#desktop);
    client.data = this.#client;
    desktop.data = this.#desktop;
  }

  /** Sends `answer` to the client, each part in a write of its own, and on what it had sent early. */
  begin(answer: readonly Uint8Array[], early: readonly Uint8Array[]): void {
    for (const part of answer) this.#client.send(part);
    for (const chunk of early) this.#client.onData(chunk);
  }

  /** May be called again while the end takes its time. */
  end(cause: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#cause ??= cause;
    this.#client.shutdown();
    // At once, so that the session inside is suspended for whoever comes next.
    this.#desktop.close();
    this.#terminateAfter(LAST_WORDS_MS);
  }

  onHalfClosed(end: PipeEnd): void {
    this.#cause ??= this.#causeBy(end);
    this.#terminateAfter(this.#options.halfOpenMs);
  }

  onGone(end: PipeEnd): void {
    this.#cause ??= this.#causeBy(end);
    this.#open--;
    if (this.#open > 0) {
      if (this.#timer === undefined) this.#terminateAfter(this.#options.halfOpenMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#options.onEnded({
      cause: this.#cause,
      bytesToClient: this.#desktop.receivedBytes,
      bytesFromClient: this.#client.receivedBytes,
    });
  }

  #causeBy(end: PipeEnd): string {
    return end === this.#client ? "client-left" : "desktop-closed";
  }

  #terminateAfter(ms: number): void {
    if (this.#open === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#client.terminate();
      this.#desktop.terminate();
    }, ms);
  }
}
