/**
 * What a request on the slave channel gets (chapter 4.9 of QVD 4's protocol). Decided without looking at the world:
 * whoever calls does what was decided, or finds that it can't be done.
 *
 * | request                                        | meaning                                          |
 * |---|---|
 * | PUT /shares/CLIENT-PATH, Upgrade: qvd:sftp/1.0 | mount the client's folder below ~/Redirected     |
 * | GET /shares/PATH, Upgrade: qvd:sftp/1.0        | serve that folder of the desktop to the client   |
 * | POST /open/PATH, X-QVD-Share-Ticket: NAME      | open that file of a mounted folder on the screen |
 */

import { timingSafeEqual } from "node:crypto";
import type { SlaveRequest } from "./parse-slave-request.ts";

export type SlaveAnswer =
  /** `name` is one part of a path; `charset` is the client's, undefined for UTF-8. */
  | { readonly kind: "mount"; readonly name: string; readonly charset: string | undefined }
  | { readonly kind: "serve"; readonly path: string }
  | { readonly kind: "open"; readonly name: string; readonly path: string }
  | { readonly kind: "refuse"; readonly status: 400 | 401 | 403 | 404 | 501; readonly text: string };

const PROTOCOL = /^qvd:sftp\/1\.0(?:;\s*charset=([A-Za-z0-9_-]{1,32}))?$/i;
/** A name longer than that fits into no folder, as bytes. */
const MOST_NAME_BYTES = 200;

export function decideSlaveAnswer(request: SlaveRequest, key: string): SlaveAnswer {
  const proof = request.headers.get("authorization");
  if (proof === undefined) return refuse(401, "The slave key is missing.");
  if (!isProof(proof, key)) return refuse(403, "The slave key is not this session's.");
  const [, place, rest] = /^\/(shares|open)(\/.*)?$/.exec(request.target) ?? [];
  const path = unescapePath(rest ?? "/");
  if (place === "shares" && request.method === "PUT") return decideTransfer(request, path, "mount");
  if (place === "shares" && request.method === "GET") return decideTransfer(request, path, "serve");
  if (place === "open" && request.method === "POST") return decideOpening(request, path);
  if (request.target === "/usbip") return refuse(501, "USB devices are not served.");
  return refuse(404, "There is nothing of that name.");
}

/** Basic with the key as it is, not in base64; the original compares the whole value. */
function isProof(value: string, key: string): boolean {
  const given = Buffer.from(value.replace(/^Basic +/i, ""));
  const wanted = Buffer.from(key);
  return wanted.length > 0 && given.length === wanted.length && timingSafeEqual(given, wanted);
}

function decideTransfer(request: SlaveRequest, path: string, kind: "mount" | "serve"): SlaveAnswer {
  const isUpgrade = /\bupgrade\b/i.test(request.headers.get("connection") ?? "");
  const protocol = PROTOCOL.exec(request.headers.get("upgrade") ?? "");
  if (!isUpgrade || protocol === null) return refuse(400, "An upgrade to qvd:sftp/1.0 is wanted.");
  // The client's path begins after a slash of ours, so an absolute one has two.
  if (kind === "serve") return { kind, path: path.replace(/^\/+/, "/") };
  const charset = protocol[1];
  return { kind, name: nameShare(path), charset: /^utf-?8$/i.test(charset ?? "utf-8") ? undefined : charset };
}

function decideOpening(request: SlaveRequest, path: string): SlaveAnswer {
  const ticket = request.headers.get("x-qvd-share-ticket");
  if (ticket === undefined || ticket !== nameShare(ticket)) return refuse(404, "There is no such share.");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes("..")) return refuse(404, "There is no such file.");
  return { kind: "open", name: ticket, path: parts.join("/") };
}

/** What the folder is called in the desktop: the last part of its path at the client, which may be a Windows one. */
export function nameShare(clientPath: string): string {
  const last = clientPath.split(/[/\\]+/).findLast((part) => part !== "") ?? "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would be in a name of the person's folder.
  let name = last.replaceAll(/[\u0000-\u001f\u007f]/g, "").replace(/^([A-Za-z]):$/, "$1");
  while (Buffer.byteLength(name) > MOST_NAME_BYTES) name = [...name].slice(0, -1).join("");
  return name === "" || name === "." || name === ".." ? "Root" : name;
}

function unescapePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Written as it is, with a percent sign of its own.
    return text;
  }
}

function refuse(status: 400 | 401 | 403 | 404 | 501, text: string): SlaveAnswer {
  return { kind: "refuse", status, text };
}
