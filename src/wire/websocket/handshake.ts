/** How a request of HTTP becomes a WebSocket (RFC 6455, section 4.2): no subprotocol and no extension, so nothing is compressed. */

import { createHash } from "node:crypto";

/** What is answered to the key in the request. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** The key to be answered; undefined when the request is none for a WebSocket. */
export function parseHandshake(request: Request): string | undefined {
  const { method, headers } = request;
  const key = headers.get("Sec-WebSocket-Key") ?? "";
  const asks = (name: string, word: string) =>
    (headers.get(name) ?? "").split(",").some((one) => one.trim().toLowerCase() === word);
  const isMeant = method === "GET" && asks("Upgrade", "websocket") && asks("Connection", "upgrade");
  return isMeant && asks("Sec-WebSocket-Version", "13") && KEY.test(key) ? key : undefined;
}

/** After it both speak frames. */
export function formatSwitching(key: string): Buffer {
  const accepted = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  const lines = ["Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accepted}`];
  return Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
