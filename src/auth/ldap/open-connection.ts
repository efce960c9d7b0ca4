/**
 * A connection to a directory, encrypted before a password is near it. We do StartTLS ourselves: the library opens a
 * lost connection again without it, so somebody in between could have a password said in the clear; and it keeps
 * what came before the handshake, so they could answer for the directory. It gets a socket that is ready, once.
 */

import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { DirectoryServer } from "./directory-settings.ts";

/** An entry with its groups has some kB; whoever sends more is no directory of ours. */
const MOST_RECEIVED_BYTES = 4 * 2 ** 20;

export type OpenOptions = {
  /** Ends the attempt, and afterwards the connection. */
  readonly signal: AbortSignal;
  /** PEM; what to trust where the server's settings name no authority. */
  readonly systemAuthorities: string;
};

/** Rejects with the reason when it can't be had; the caller destroys it. */
export async function openConnection(server: DirectoryServer, options: OpenOptions): Promise<Socket> {
  options.signal.throwIfAborted();
  const plain = connectPlain({ host: server.host, port: server.port });
  let current: Socket = plain;
  const destroy = () => {
    current.destroy();
    plain.destroy();
  };
  options.signal.addEventListener("abort", destroy, { once: true });
  plain.once("close", () => options.signal.removeEventListener("abort", destroy));
  try {
    await happened(plain, "connect", options.signal);
    if (server.encryption === "none") return limitReceived(plain);
    if (server.encryption === "starttls") await startTls(plain, options.signal);
    const encrypted = connectTls({
      socket: plain,
      ca: server.ca === "" ? options.systemAuthorities : server.ca,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      host: server.host,
      // A name for addresses is not allowed in the handshake; the certificate is compared with `host` all the same.
      ...(isIP(server.host) === 0 ? { servername: server.host } : {}),
    });
    current = encrypted;
    await happened(encrypted, "secureConnect", options.signal);
    requireAuthorized(encrypted);
    return limitReceived(encrypted);
  } catch (error) {
    destroy();
    throw error;
  }
}

/** Belt and braces: what the runtime was asked to refuse is looked at once more. */
function requireAuthorized(socket: TLSSocket): void {
  if (socket.authorized) return;
  throw new Error(`certificate not trusted: ${String(socket.authorizationError ?? "unknown")}`);
}

function happened(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off(event, onEvent);
      socket.off("error", settle);
      socket.off("close", onClose);
      // From here on errors come as `close` to whoever uses it.
      socket.on("error", () => {});
      if (error === undefined) resolve();
      else reject(error);
    };
    const onEvent = () => settle();
    const onClose = () =>
      settle(new Error(signal.aborted ? "it took too long to connect" : "it closed the connection"));
    socket.once(event, onEvent);
    socket.once("error", settle);
    socket.once("close", onClose);
  });
}

function limitReceived(socket: Socket): Socket {
  let received = 0;
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > MOST_RECEIVED_BYTES) socket.destroy(new Error("it sent more than a directory would"));
  });
  return socket;
}

/** ExtendedRequest 1.3.6.1.4.1.1466.20037 as message 1 (RFC 4511 §4.14). */
const START_TLS = Buffer.concat([
  Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]),
  Buffer.from("1.3.6.1.4.1.1466.20037", "latin1"),
]);

async function startTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(START_TLS);
  const answer = await readMessage(socket, signal);
  const resultCode = readExtendedResult(answer);
  if (resultCode !== 0) throw new Error(`it refused StartTLS (result ${resultCode ?? "unreadable"})`);
}

/** One whole message and not a byte more: what follows before the handshake is not the directory's. */
function readMessage(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const settle = (work: () => void) => {
      socket.off("data", onData);
      socket.off("close", onClose);
      work();
    };
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const length = messageLength(bytes);
      if (length === undefined || bytes.length < length) return;
      if (bytes.length > length)
        settle(() =>
          reject(new Error("more than its answer came before the handshake: somebody is in between")),
        );
      else settle(() => resolve(bytes));
    };
    const onClose = () =>
      settle(() =>
        reject(new Error(signal.aborted ? "it took too long to answer" : "it closed the connection")),
      );
    socket.on("data", onData);
    socket.once("close", onClose);
  });
}

/** Of the BER value at the beginning, its head included; undefined while too little of it is there. */
function messageLength(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count > 2) return 0;
  return bytes.length < 2 + count ? undefined : 2 + count + bytes.readUIntBE(2, count);
}

/** The result code of an ExtendedResponse to message 1; undefined for anything else. */
function readExtendedResult(message: Buffer): number | undefined {
  const at = (message[1] ?? 0) < 0x80 ? 2 : 2 + ((message[1] ?? 0) & 0x7f);
  const [idTag, idLength, id, responseTag, length = 0] = message.subarray(at);
  if (message[0] !== 0x30 || idTag !== 0x02 || idLength !== 1 || id !== 1 || responseTag !== 0x78)
    return undefined;
  const inner = at + 5 + (length < 0x80 ? 0 : length & 0x7f);
  const [resultTag, resultLength, result] = message.subarray(inner);
  return resultTag === 0x0a && resultLength === 1 ? result : undefined;
}
