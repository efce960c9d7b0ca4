/**
 * The first packet of a TLS client that knows one version and a few ciphers only, written byte by byte: libraries of today offer
 * no weak cipher, so a test with them would show what they leave out and not what a server refuses.
 */

import { connect } from "node:net";
import { waitFor } from "../../src/lib/wait.ts";

export type OldClient = {
  /** As on the wire, such as 0x0302 of TLS 1.1. */
  readonly version: number;
  readonly ciphers: readonly number[];
};

const RECORD_BYTES = 5;
const [ALERT, HANDSHAKE, SERVER_HELLO] = [21, 22, 2];

/** What the server at `port` says to it: `hello`, `alert` with its number, or `nothing` when the connection ends without a word. */
export async function greetAs(port: number, client: OldClient): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port }, () => socket.write(formatHello(client)));
  let received = Buffer.alloc(0);
  let isOver = false;
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  socket.on("error", () => {
    isOver = true;
  });
  socket.on("close", () => {
    isOver = true;
  });
  const isThere = () => isOver || received.length > RECORD_BYTES + 1;
  await waitFor(isThere, { timeoutMs: 15_000, everyMs: 2 });
  socket.destroy();
  const [kind, first, second] = [received[0], received[RECORD_BYTES], received[RECORD_BYTES + 1]];
  if (kind === HANDSHAKE && first === SERVER_HELLO) return "hello";
  return kind === ALERT ? `alert ${second}` : "nothing";
}

function formatHello({ version, ciphers }: OldClient): Buffer {
  const extensions = Buffer.concat([
    // x25519 and P-256; uncompressed points; ECDSA and RSA with SHA-256 and SHA-1.
    extension(10, list16([0x001d, 0x0017])),
    extension(11, Buffer.from([1, 0])),
    extension(13, list16([0x0403, 0x0804, 0x0401, 0x0203, 0x0201])),
  ]);
  const random = crypto.getRandomValues(new Uint8Array(32));
  const noSession = Buffer.from([0]);
  const noCompression = Buffer.from([1, 0]);
  const body = Buffer.concat([
    ...[uint16(version), random, noSession, list16(ciphers), noCompression],
    ...[uint16(extensions.length), extensions],
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  return Buffer.concat([Buffer.from([HANDSHAKE, 3, 1]), uint16(message.length), message]);
}

function extension(kind: number, content: Buffer): Buffer {
  return Buffer.concat([uint16(kind), uint16(content.length), content]);
}

function list16(values: readonly number[]): Buffer {
  const items = values.map(uint16);
  return Buffer.concat([uint16(items.length * 2), ...items]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
