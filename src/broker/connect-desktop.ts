/**
 * The TCP connection to a desktop that says it listens. Made once and only when the client is still there:
 * a probe would end the session inside.
 */

import { AppError } from "../lib/errors.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner } from "./socket.ts";

export type DesktopAddress = {
  readonly address: string;
  readonly port: number;
  /** A socket of this box, in place of address and port. */
  readonly path?: string | undefined;
};

export type ConnectDesktopOptions = {
  readonly timeoutMs: number;
  /**
   * Called when the connection is there, within the event: bytes that the desktop sends at once must find
   * their owner. True when it took the socket over; otherwise the socket is closed.
   */
  readonly take: (socket: OwnedSocket) => boolean;
};

/** Owns the socket until it is taken over. */
class Connecting implements SocketOwner {
  readonly settled = Promise.withResolvers<void>();
  #take: ((socket: OwnedSocket) => boolean) | undefined;

  constructor(take: (socket: OwnedSocket) => boolean) {
    this.#take = take;
  }

  onOpen(socket: OwnedSocket): void {
    if (this.#take?.(socket) === true) this.settled.resolve();
    else socket.close();
  }

  /** Whoever lets us in later finds nobody: a desktop chooses when it answers. */
  giveUp(): void {
    this.#take = undefined;
    this.settled.reject(new Error("no answer in time"));
  }

  onClose(): void {
    this.settled.reject(new Error("closed before the session began"));
  }

  onData(): void {}
  onDrain(): void {}
  onEnd(): void {}
  onHandshake(): void {}
}

// Bun keeps the handlers as long as the socket: a closure here would keep all that led to the session.
const HANDLERS = {
  ...SOCKET_HANDLERS,
  open: (socket: OwnedSocket) => socket.data.onOpen?.(socket),
} as const;

/** Resolves when `take` has taken the socket; throws `unavailable` when there was none to take in time. */
export async function connectDesktop(target: DesktopAddress, options: ConnectDesktopOptions): Promise<void> {
  const owner = new Connecting(options.take);
  const { settled } = owner;
  const timer = setTimeout(() => owner.giveUp(), options.timeoutMs);
  const common = { allowHalfOpen: true, data: owner, socket: HANDLERS };
  const { address: hostname, port, path: unix } = target;
  const opening =
    unix === undefined
      ? Bun.connect<SocketOwner>({ ...common, hostname, port })
      : Bun.connect<SocketOwner>({ ...common, unix });
  try {
    await Promise.race([settled.promise, opening.then(() => settled.promise)]);
  } catch (cause) {
    opening
      .then((socket) => socket.terminate())
      .catch(() => {
        // It never opened, so there is nothing to end.
      });
    throw new AppError("unavailable", "The session can't be reached", { cause });
  } finally {
    clearTimeout(timer);
  }
}
