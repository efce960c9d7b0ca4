/** A browser's connection byte by byte: for what no browser would send. */

import { createHash } from "node:crypto";
import { QvdClient } from "./qvd-client.ts";

export type RequestParts = {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
};

/** With the port's own name and origin, as a page of ours would ask. */
export function formatRequest(
  port: number,
  path: string,
  { method = "GET", headers = [], body = "" }: RequestParts = {},
) {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  const origin = method === "GET" ? [] : [`Origin: https://127.0.0.1:${port}`];
  const lines = [`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...origin, ...length, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** The head of a WebSocket's opening. */
export function formatOpening(port: number, path: string, cookie: string): string {
  const key = createHash("sha256").update(path).digest("base64").slice(0, 22);
  const headers = [
    ...[
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}==`,
    ],
    ...[`Origin: https://127.0.0.1:${port}`, `Cookie: ${cookie}`],
  ];
  return formatRequest(port, path, { headers });
}

/** A client's frame, whole, with a mask of zeros. */
export function formatFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const size =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0x80 | 126, length >> 8, length & 255]
        : [
            0x80 | 127,
            0,
            0,
            0,
            0,
            (length >>> 24) & 255,
            (length >>> 16) & 255,
            (length >>> 8) & 255,
            length & 255,
          ];
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]);
}

/** Resolves with the status of the answer; 0 when the connection ended without one. */
export async function readStatus(client: QvdClient, timeoutMs: number): Promise<number> {
  const from = performance.now();
  while (performance.now() - from < timeoutMs) {
    const status = /^HTTP\/1\.1 (\d{3})/m.exec(client.received)?.[1];
    if (status !== undefined) return Number(status);
    if (client.hasEnded || client.isClosed) return 0;
    await Bun.sleep(2);
  }
  return 0;
}

export const openRaw = (port: number) => QvdClient.open(port);
