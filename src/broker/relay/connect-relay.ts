/**
 * The way to a desktop of another box: TLS to that box's broker, on the port of the clients, a request with our
 * proof, its 101; from then on the socket is the desktop's as if it were here.
 */

import { AppError } from "../../lib/errors.ts";
import type { ConnectDesktopOptions } from "../connect-desktop.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner } from "../socket.ts";
import { type BoxIdentity, formatProof, isOfSite, type RelayRequest } from "./box-proof.ts";

/** Of an answer that is no 101. */
const MOST_ANSWER_BYTES = 8 * 1024;

/** Owns the socket until it is taken over. */
class Relaying implements SocketOwner {
  readonly settled = Promise.withResolvers<void>();
  readonly #request: string;
  readonly #authority: string;
  readonly #take: (socket: OwnedSocket) => boolean;
  #socket: OwnedSocket | undefined;
  #received = Buffer.alloc(0);

  constructor(request: string, authority: string, take: (socket: OwnedSocket) => boolean) {
    this.#request = request;
    this.#authority = authority;
    this.#take = take;
  }

  onOpen(socket: OwnedSocket): void {
    this.#socket = socket;
  }

  /** The name in its certificate doesn't matter: any box of the site may answer for the site. */
  onHandshake(): void {
    const certificate = this.#socket?.getPeerX509Certificate();
    if (certificate !== undefined && isOfSite(certificate, this.#authority))
      this.#socket?.write(this.#request);
    else this.#fail("its certificate is not of this site's authority, or has lapsed");
  }

  onData(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#received.length > MOST_ANSWER_BYTES) this.#fail("its answer is too long");
      return;
    }
    const status = /^HTTP\/1\.1 ([0-9]{3}) /.exec(this.#received.subarray(0, 16).toString("latin1"))?.[1];
    if (status === "101") this.#hand(this.#received.subarray(end + 4));
    else this.#fail(`it answered ${status ?? "nothing that could be read"}`);
  }

  /** What the desktop said at once came with the answer; it is the new owner's. */
  #hand(early: Uint8Array): void {
    const socket = this.#socket;
    if (socket === undefined || !this.#take(socket)) {
      this.#fail("nobody waits for it any more");
      return;
    }
    this.settled.resolve();
    if (early.length > 0) socket.data.onData(early);
  }

  onClose(): void {
    this.settled.reject(new Error("it closed the connection"));
  }

  onDrain(): void {}
  onEnd(): void {}

  #fail(reason: string): void {
    this.settled.reject(new Error(reason));
    this.#socket?.terminate();
  }
}

const HANDLERS = {
  ...SOCKET_HANDLERS,
  open: (socket: OwnedSocket) => socket.data.onOpen?.(socket),
  handshake: (socket: OwnedSocket, isSecure: boolean) => socket.data.onHandshake(isSecure),
} as const;

export type RelayTarget = RelayRequest & { readonly node: string };

/** Resolves when `take` has taken the socket; throws `unavailable` when the other broker doesn't let us through in time. */
export async function connectRelay(
  identity: BoxIdentity,
  target: RelayTarget,
  options: ConnectDesktopOptions,
): Promise<void> {
  const { hostname, port } = parseAddress(target.address);
  const owner = new Relaying(formatRequest(identity, target), identity.authority, options.take);
  const { settled } = owner;
  const timer = setTimeout(() => settled.reject(new Error("no answer in time")), options.timeoutMs);
  const opening = Bun.connect<SocketOwner>({
    hostname,
    port,
    allowHalfOpen: true,
    // Judged by ourselves, above: the name may be any under which boxes reach each other.
    // Ours is shown where that box asks its clients for one.
    tls: {
      ca: identity.authority,
      rejectUnauthorized: false,
      key: identity.key,
      cert: identity.certificate,
    },
    data: owner,
    socket: HANDLERS,
  });
  try {
    await Promise.race([settled.promise, opening.then(() => settled.promise)]);
  } catch (cause) {
    opening
      .then((socket) => socket.terminate())
      .catch(() => {
        // It never opened, so there is nothing to end.
      });
    throw new AppError("unavailable", `The session can't be reached through node ${target.node}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

function formatRequest(identity: BoxIdentity, target: RelayTarget): string {
  const proof = Object.entries(formatProof(identity, target)).map(([name, value]) => `${name}: ${value}\r\n`);
  const subject = "visitId" in target ? `visit=${target.visitId}` : `session=${target.sessionId}`;
  const port = target.isScreen === true ? "&port=screen" : "";
  return `GET /qvd/relay?${subject}${port} HTTP/1.1\r\nHost: ${target.address}\r\nConnection: Upgrade\r\nUpgrade: QVD-Relay/1\r\n${proof.join("")}\r\n`;
}

/** HOST:PORT as nodes register it; a host of colons stands in brackets. */
function parseAddress(address: string): { readonly hostname: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { hostname: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(at + 1)) };
}
