/**
 * Two sockets joined: what one receives the other sends. A side that doesn't take bytes pauses the other, so
 * memory stays at what one read had taken. An end is passed on as a half-close when all before it was sent;
 * when a socket is gone the other one is ended too, or it would never notice while paused.
 *
 *     client ──► end of client ──► unsent of desktop ──► desktop      and the same the other way
 */

import type { OwnedSocket, SocketOwner } from "./socket.ts";

export type PipeEvents = {
  /** One side sends nothing more. */
  readonly onHalfClosed: () => void;
  /** Called once for each end, when its socket is gone. */
  readonly onGone: (end: PipeEnd) => void;
};

export class PipeEnd implements SocketOwner {
  /** Bytes received here. */
  receivedBytes = 0;
  readonly #socket: OwnedSocket;
  #peer: PipeEnd | undefined;
  #unsent: Uint8Array[] = [];
  /** No more comes from the peer: close this direction when all is sent. */
  #isFinishing = false;
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

  /** Sends to this end's socket; false when bytes had to be kept. */
  send(chunk: Uint8Array): boolean {
    if (this.#unsent.length > 0) {
      this.#unsent.push(chunk);
      return false;
    }
    const written = this.#socket.write(chunk);
    if (written >= chunk.length) return true;
    this.#unsent.push(written > 0 ? chunk.subarray(written) : chunk);
    return false;
  }

  onData(chunk: Uint8Array): void {
    this.receivedBytes += chunk.length;
    if (this.#peer?.send(chunk) === false) this.#socket.pause();
  }

  onDrain(): void {
    while (this.#unsent.length > 0) {
      const chunk = this.#unsent[0] ?? new Uint8Array();
      const written = this.#socket.write(chunk);
      if (written < chunk.length) {
        if (written > 0) this.#unsent[0] = chunk.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#isFinishing) this.#finish();
    else this.#peer?.resume();
  }

  onEnd(): void {
    this.#hasEnded = true;
    this.#events?.onHalfClosed();
    const peer = this.#peer;
    if (peer === undefined) return;
    peer.#isFinishing = true;
    if (peer.#unsent.length === 0) peer.#finish();
  }

  onClose(): void {
    const peer = this.#peer;
    this.#peer = undefined;
    this.#unsent = [];
    this.#events?.onGone(this);
    this.#events = undefined;
    if (peer === undefined) return;
    peer.#peer = undefined;
    peer.#isFinishing = true;
    peer.#hasEnded = true;
    if (peer.#unsent.length === 0) peer.#finish();
    // Paused, it would see neither a drain of interest nor the end of a peer that left as well.
    else peer.#socket.resume();
  }

  onHandshake(): void {}

  /** Closes the socket; its owner hears of it by `onClose`. */
  close(): void {
    this.#socket.end();
  }

  /** Drops the socket with whatever it holds unsent. */
  terminate(): void {
    this.#socket.terminate();
  }

  resume(): void {
    this.#socket.resume();
  }

  #finish(): void {
    // Both directions done: a mere half-close would leave the socket open for ever.
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }
}
