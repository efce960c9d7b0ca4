/**
 * The way to a desktop of another box: TLS to that box's broker, on the port of the clients, a request with our
 * proof, its 101; from then on the socket is the desktop's as if it were here.
 *
 *     handshake ─┬─ a certificate of the site's ──────────────────────────────► request ──► 101
 *                └─ another authority's ──► its proof of this connection ──────┘
 */

import { AppError } from "../../lib/errors.ts";
import type { ConnectDesktopOptions } from "../connect-desktop.ts";
import { type OwnedSocket, SOCKET_HANDLERS, type SocketOwner } from "../socket.ts";
import { type BoxIdentity, formatProof, isOfSite, type RelayRequest } from "./box-proof.ts";
import { findChannelAnswerFault, formatChannelProof, readChannelKey } from "./channel-proof.ts";

/** Of an answer that is no 101. */
const MOST_ANSWER_BYTES = 8 * 1024;
const HEAD_END = "\r\n\r\n";

/** Owns the socket until it is taken over. */
class Relaying implements SocketOwner {
  readonly settled = Promise.withResolvers<void>();
  readonly #identity: BoxIdentity;
  readonly #target: RelayTarget;
  readonly #take: (socket: OwnedSocket) => boolean;
  #socket: OwnedSocket | undefined;
  #received = Buffer.alloc(0);
  /** Of the connection, while a proof is awaited that the other end is a box of the site. */
  #channelKey: Uint8Array | undefined;

  constructor(identity: BoxIdentity, target: RelayTarget, take: (socket: OwnedSocket) => boolean) {
    this.#identity = identity;
    this.#target = target;
    this.#take = take;
  }

  onOpen(socket: OwnedSocket): void {
    this.#socket = socket;
  }

  /** The name in its certificate doesn't matter: any box of the site may answer for the site. */
  onHandshake(): void {
    const socket = this.#socket;
    const certificate = socket?.getPeerX509Certificate();
    if (socket === undefined || certificate === undefined) this.#fail("it showed no certificate");
    else if (isOfSite(certificate, this.#identity.authority)) this.#ask();
    else {
      this.#channelKey = readChannelKey(socket);
      socket.write(formatProofRequest(this.#identity, this.#target, this.#channelKey));
    }
  }

  onData(chunk: Uint8Array): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#channelKey !== undefined) this.#readProof(this.#channelKey);
    else this.#readSwitching();
    if (this.#received.length > MOST_ANSWER_BYTES) this.#fail("its answer is too long");
  }

  #ask(): void {
    this.#socket?.write(formatRequest(this.#identity, this.#target));
  }

  #readProof(key: Uint8Array): void {
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#received.toString("latin1", 0, end);
    const body = this.#received.subarray(end + HEAD_END.length);
    if (body.length < Number(/^content-length: ([0-9]{1,4})$/im.exec(head)?.[1] ?? 0)) return;
    // A box of before knows no such request, and no other is of the site.
    const isFromBox =
      statusOf(head) === "200" &&
      findChannelAnswerFault(this.#identity.authority, key, body.toString()) === undefined;
    this.#channelKey = undefined;
    this.#received = Buffer.alloc(0);
    if (isFromBox) this.#ask();
    else
      this.#fail(
        "its certificate is not of this site's authority, or has lapsed, and it proved nothing else",
      );
  }

  #readSwitching(): void {
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const status = statusOf(this.#received.toString("latin1", 0, end));
    const early = this.#received.subarray(end + HEAD_END.length);
    this.#received = Buffer.alloc(0);
    if (status === "101") this.#hand(early);
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
  const owner = new Relaying(identity, target, options.take);
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
  const subject = "visitId" in target ? `visit=${target.visitId}` : `session=${target.sessionId}`;
  const port = target.isScreen === true ? "&port=screen" : "";
  const upgrade = { Connection: "Upgrade", Upgrade: "QVD-Relay/1" };
  return formatGet(`relay?${subject}${port}`, {
    Host: target.address,
    ...upgrade,
    ...formatProof(identity, target),
  });
}

function formatProofRequest(identity: BoxIdentity, { address }: RelayTarget, key: Uint8Array): string {
  return formatGet("relay_proof", { Host: address, ...formatChannelProof(identity, "asks", key) });
}

function formatGet(what: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /qvd/${what} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

function statusOf(head: string): string | undefined {
  return /^HTTP\/1\.1 ([0-9]{3}) /.exec(head)?.[1];
}

/** HOST:PORT as nodes register it; a host of colons stands in brackets. */
function parseAddress(address: string): { readonly hostname: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { hostname: address.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(at + 1)) };
}
