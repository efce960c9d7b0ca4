/**
 * Two sockets joined: what one receives the other sends. A side that doesn't take bytes pauses the other, so
 * memory stays at what one read had taken. An end is passed on as a half-close when all before it was sent.
 * What becomes of an end whose peer is gone is for its owner to say.
 *
 *     client ──► end of client ──► unsent of desktop ──► desktop      and the same the other way
 */

import { giveBack } from "./give-back.ts";
import type { OwnedSocket, SocketOwner } from "./socket.ts";
import { SMALL_BYTES } from "./spin.ts";

export type PipeEvents = {
  /** That side sends nothing more. */
  readonly onHalfClosed: (end: PipeEnd) => void;
  /** Called once for each end, when its socket is gone. */
  readonly onGone: (end: PipeEnd) => void;
  /** A message was passed on, so its answer may come in a moment. */
  readonly onMessage?: () => void;
};

export class PipeEnd implements SocketOwner {
  /** Bytes received here. */
  receivedBytes = 0;
  readonly #socket: OwnedSocket;
  #peer: PipeEnd | undefined;
  /** Undefined while there is nothing, which is nearly always. */
  #unsent: Uint8Array[] | undefined;
  /** No more comes from the peer: close this direction when all is sent. */
  #isFinishing = false;
  #isClosing = false;
  #hasEnded = false;
  #events: PipeEvents | undefined;

  constructor(socket: OwnedSocket, events: PipeEvents) {
    this.#socket = socket;
    this.#events = events;
  }

  /** Joins two ends; each socket's owner must be its end from now on. */
  static join(one: PipeEnd, other: PipeEnd): void {
    one.#peer = other;
    other.#peer = one;
  }

  /** Sends to this end's socket, which owns `chunk` from now on; false when bytes had to be kept. */
  send(chunk: Uint8Array): boolean {
    if (this.#unsent !== undefined) {
      this.#unsent.push(chunk);
      return false;
    }
    const written = this.#socket.write(chunk);
    if (written >= chunk.length) {
      giveBack(chunk);
      return true;
    }
    this.#unsent = [written > 0 ? chunk.subarray(written) : chunk];
    return false;
  }

  onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    const { length } = chunk;
    if (this.#peer?.send(chunk) === false) this.#socket.pause();
    else if (length <= SMALL_BYTES) this.#events?.onMessage?.();
  }

  onDrain(): void {
    const unsent = this.#unsent ?? [];
    for (let chunk = unsent[0]; chunk !== undefined; chunk = unsent[0]) {
      const written = this.#socket.write(chunk);
      if (written < chunk.length) {
        if (written > 0) unsent[0] = chunk.subarray(written);
        return;
      }
      giveBack(chunk);
      unsent.shift();
    }
    this.#unsent = undefined;
    if (this.#isClosing) this.#socket.close();
    else if (this.#isFinishing) this.#finish();
    else this.#peer?.resume();
  }

  onEnd(): void {
    this.#hasEnded = true;
    this.#events?.onHalfClosed(this);
    const peer = this.#peer;
    if (peer === undefined) return;
    peer.#isFinishing = true;
    if (peer.#unsent === undefined) peer.#finish();
  }

  onClose(): void {
    if (this.#peer !== undefined) this.#peer.#peer = undefined;
    this.#peer = undefined;
    this.#unsent = undefined;
    const events = this.#events;
    this.#events = undefined;
    events?.onGone(this);
  }

  onHandshake(): void {}

  /** Its socket gets another owner, who sends first what is returned; the peer is left alone. */
  release(): readonly Uint8Array[] {
    const unsent = this.#unsent ?? [];
    if (this.#peer !== undefined) this.#peer.#peer = undefined;
    this.#peer = undefined;
    this.#unsent = undefined;
    this.#events = undefined;
    return unsent;
  }

  /** For an end whose peer is gone: closes when all is sent. What it still receives is nobody's. */
  closeWhenSent(): void {
    this.#isClosing = true;
    if (this.#unsent === undefined) this.#socket.close();
  }

  /**
   * For an end whose peer is gone: half-closes when all is sent, and discards what comes. Closing with bytes
   * unread would reset the connection, and lose what is on its way. It reads again if it was paused, or it
   * would never see its own end.
   */
  shutdownWhenSent(): void {
    this.#isFinishing = true;
    if (this.#unsent === undefined) this.#finish();
    this.#socket.resume();
  }

  /** Closes at once. What was written still arrives, what is unsent does not. */
  close(): void {
    this.#socket.close();
  }

  /** Sends nothing more. */
  shutdown(): void {
    this.#socket.shutdown();
  }

  /** Drops the socket with whatever it holds unsent. */
  terminate(): void {
    this.#socket.terminate();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * Never `end()` while the peer may still send: over TLS it waits for the peer's end, and what comes after
   * it, `terminate()` too, does nothing, so a silent peer would keep the socket for ever.
   */
  #finish(): void {
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }
}
