/**
 * The pipe of one session: joins the sockets, bounds how long a half-closed one lasts, tells how it ended.
 * Thousands of them lie idle, so it holds no closures and nothing of the phases before it.
 */

import type { SessionId, VmId } from "../domain/ids.ts";
import type { LiveSession } from "./live-sessions.ts";
import { PipeEnd, type PipeEvents } from "./pipe.ts";
import type { OwnedSocket } from "./socket.ts";
import type { Spin } from "./spin.ts";
import type { SessionEnd, Traffic } from "./store.ts";

/** What all pipes of a worker share. */
export type PipeContext = {
  readonly halfOpenMs: number;
  readonly spin: Spin;
  /** Called once for each pipe, when both its sockets are gone. */
  readonly onEnded: (sessionId: SessionId, end: SessionEnd, clientAddress: string | undefined) => void;
};

export type PipedSession = {
  readonly id: SessionId;
  readonly vmId: VmId;
  /** Left out where nobody counts its connections. */
  readonly clientAddress?: string;
  readonly client: OwnedSocket;
  readonly desktop: OwnedSocket;
};

/** How long a session that is told to end may take to send what it holds. */
const LAST_WORDS_MS = 1_000;

export class SessionPipe implements PipeEvents, LiveSession {
  readonly id: SessionId;
  readonly vmId: VmId;
  readonly #client: PipeEnd;
  readonly #desktop: PipeEnd;
  readonly #context: PipeContext;
  readonly #clientAddress: string | undefined;
  recordedBytes = 0;
  #open = 2;
  #isEnding = false;
  #cause: string | undefined;
  #timer: Timer | undefined;

  /** Takes both sockets over. */
  constructor(context: PipeContext, { id, vmId, clientAddress, client, desktop }: PipedSession) {
    this.id = id;
    this.vmId = vmId;
    this.#context = context;
    this.#clientAddress = clientAddress;
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

  onMessage(): void {
    this.#context.spin.note();
  }

  onHalfClosed(end: PipeEnd): void {
    this.#cause ??= this.#causeBy(end);
    // A session that was told to end has its deadline, and a client's own end must not put it off.
    if (!this.#isEnding) this.#terminateAfter(this.#context.halfOpenMs);
  }

  onGone(end: PipeEnd): void {
    this.#cause ??= this.#causeBy(end);
    this.#open--;
    if (this.#open > 0) {
      if (this.#timer === undefined) this.#terminateAfter(this.#context.halfOpenMs);
      // A desktop without a client may go on sending for ever; a client is let read to the end.
      if (end === this.#client) this.#desktop.closeWhenSent();
      else this.#client.shutdownWhenSent();
      return;
    }
    clearTimeout(this.#timer);
    const ended = { cause: this.#cause, ...this.readTraffic() };
    this.#context.onEnded(this.id, ended, this.#clientAddress);
  }

  readTraffic(): Traffic {
    return { bytesToClient: this.#desktop.receivedBytes, bytesFromClient: this.#client.receivedBytes };
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
