/** From a plain connection to a TLS one in the same socket, under the address that its balancer gave. */

import type { ProxyFront } from "./proxy-front.ts";
import type { OwnedSocket, SocketOwner } from "./socket.ts";

/** A connection before its TLS; `data` is undefined where nobody waits for a header. */
export type RawSocket = Bun.Socket<ProxyFront | undefined>;

/** Owns a socket from the beginning of its TLS to its first owner; carries whose connection it is. */
export class Arrival implements SocketOwner {
  readonly #clientAddress: string;

  constructor(clientAddress: string) {
    this.#clientAddress = clientAddress;
  }

  /** From now on the socket's `remoteAddress` is the client's, for whoever asks. */
  static giveAddress(socket: OwnedSocket): void {
    const arrival: SocketOwner | undefined = socket.data;
    if (arrival instanceof Arrival)
      Object.defineProperty(socket, "remoteAddress", { value: arrival.#clientAddress, configurable: true });
  }

  onData(): void {}
  onDrain(): void {}
  onEnd(): void {}
  onClose(): void {}
  onHandshake(): void {}
}

export type TlsBeginning = {
  readonly tls: Bun.TLSOptions;
  readonly handlers: Bun.SocketHandler<SocketOwner>;
  readonly arrival: Arrival;
  /** What had come of it already. */
  readonly rest: Uint8Array;
};

/** The handlers' `open` is called before this returns, with `arrival` as the socket's data. */
export function beginTls(raw: RawSocket, { tls, handlers, arrival, rest }: TlsBeginning): void {
  const options = {
    data: arrival,
    socket: handlers,
    tls,
    // Missing in Bun's types: its own node:tls begins the server's side by these two.
    isServer: true,
    ...(rest.length > 0 && { initialData: rest }),
  };
  const upgraded: readonly unknown[] | undefined = raw.upgradeTLS<SocketOwner>(options);
  // It says nothing of its own when the peer was gone before us.
  if (upgraded === undefined) raw.terminate();
}
