/**
 * Sockets as the broker uses them: one set of handlers for all, each socket owned by the object in its
 * `data`. A connection owns its socket until it becomes a pipe; changing the owner is one assignment, and
 * what belonged to the earlier phase is garbage from then on.
 */

export interface SocketOwner {
  /** `chunk` is the owner's to keep. */
  onData(chunk: Uint8Array): void;
  /** The socket takes bytes again. */
  onDrain(): void;
  /** The peer sends nothing more; it may still read. */
  onEnd(): void;
  /** The socket is gone; the last call. */
  onClose(): void;
  /** An outgoing connection is there. */
  onOpen?(socket: OwnedSocket): void;
  /** TLS is up, or failed. */
  onHandshake(isSecure: boolean): void;
}

export type OwnedSocket = Bun.Socket<SocketOwner>;

/** Handlers for both sides; `open` differs and comes from the caller. */
export const SOCKET_HANDLERS = {
  data: (socket: OwnedSocket, chunk: Uint8Array) => socket.data.onData(chunk),
  drain: (socket: OwnedSocket) => socket.data.onDrain(),
  end: (socket: OwnedSocket) => socket.data.onEnd(),
  close: (socket: OwnedSocket) => socket.data.onClose(),
  // A failing socket is closed, which is when its owner learns of it.
  error: () => {},
} as const;

/** A peer that vanished without a word is noticed after about this long and ten probes. */
const KEEP_ALIVE_MS = 30_000;

/** Settings of both sockets of a session: small packets leave at once, dead peers are noticed. */
export function tuneSocket(socket: OwnedSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
}
