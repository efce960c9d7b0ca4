/**
 * Reads request heads of the QVD client dialect out of a byte stream, however it is cut. Stock HTTP parsers
 * refuse what two of the three client families send, so this one is ours: lines end in CRLF or bare LF, no
 * Host is needed, the target may hold spaces, be in absolute form or have an empty query, header names match
 * in any case, empty lines before a request are skipped.
 *
 * Strict where leniency is not asked for: control characters, bodies and anything over HEAD_LIMITS are
 * faults. After a fault the stream is not read further. Memory is bounded by the limits, time is linear.
 */

import { HEAD_LIMITS } from "./limits.ts";
import { parseQuery } from "./query.ts";
import type { HeadFault, RequestHead } from "./request-head.ts";

export type ParsedHead =
  | { readonly kind: "head"; readonly head: RequestHead; readonly rest: Uint8Array }
  | { readonly kind: "fault"; readonly fault: HeadFault };

const LF = 10;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

export class HeadParser {
  #line = "";
  #headBytes = 0;
  #request: { method: string; target: string } | undefined;
  #headers: [string, string][] = [];
  #isFaulty = false;

  /** Whether part of a head has come and the rest is awaited. */
  get isInside(): boolean {
    return this.#headBytes > 0;
  }

  /**
   * Takes the next bytes. Returns undefined while the head is incomplete; else the head with the bytes after
   * it (a view of `chunk`), or a fault, after which nothing more is read.
   */
  push(chunk: Uint8Array): ParsedHead | undefined {
    if (this.#isFaulty) return undefined;
    let start = 0;
    while (start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      const piece = chunk.subarray(start, end === -1 ? chunk.length : end);
      const over = this.#take(piece);
      if (over !== undefined) return this.#fault(over);
      if (end === -1) return undefined;
      start = end + 1;
      const found = this.#finishLine();
      if (found === "head") return this.#finishHead(chunk.subarray(start));
      if (found !== undefined) return this.#fault(found);
    }
    return undefined;
  }

  #take(piece: Uint8Array): HeadFault | undefined {
    // One more for the LF.
    this.#headBytes += piece.length + 1;
    if (this.#line.length + piece.length > HEAD_LIMITS.lineBytes)
      return this.#request === undefined
        ? { status: 414, text: "The request line is too long." }
        : { status: 431, text: "A header line is too long." };
    if (this.#headBytes > HEAD_LIMITS.headBytes)
      return { status: 431, text: "The request head is too long." };
    // Appending to a string costs the same for each byte, however finely the stream is cut.
    if (piece.length > 0) this.#line += latin1(piece);
    return undefined;
  }

  /** Reads the line collected: "head" when it ends the head, undefined when more lines follow. */
  #finishLine(): HeadFault | "head" | undefined {
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    if (CONTROL.test(line)) return bad("The request holds control characters.");
    if (this.#request === undefined) return this.#startRequest(line);
    if (line === "") return "head";
    return this.#addHeader(line);
  }

  #startRequest(line: string): HeadFault | undefined {
    if (line.trim() === "") return undefined;
    const parsed = parseRequestLine(line);
    if ("status" in parsed) return parsed;
    this.#request = parsed;
    return undefined;
  }

  #addHeader(line: string): HeadFault | undefined {
    const last = this.#headers.at(-1);
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (last === undefined) return bad("The first header line begins with a blank.");
      last[1] = `${last[1]} ${line.trim()}`.trim();
      return undefined;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!TOKEN.test(name)) return bad("A header line is not a header.");
    if (this.#headers.length >= HEAD_LIMITS.headerCount)
      return { status: 431, text: "There are too many header lines." };
    this.#headers.push([name.toLowerCase(), line.slice(colon + 1).trim()]);
    return undefined;
  }

  #finishHead(rest: Uint8Array): ParsedHead {
    const { method, target } = this.#request ?? { method: "", target: "" };
    const bodied = this.#headers.find(([name, value]) => announcesBody(name, value));
    if (bodied !== undefined) return this.#fault(bad("No request here may have a body."));
    const [path, query] = splitTarget(target);
    const headers = new Map(this.#headers);
    this.#request = undefined;
    this.#headers = [];
    this.#headBytes = 0;
    return { kind: "head", head: { method, path, query: parseQuery(query), headers }, rest };
  }

  #fault(fault: HeadFault): ParsedHead {
    this.#isFaulty = true;
    this.#line = "";
    this.#headers = [];
    return { kind: "fault", fault };
  }
}

/** Word, blanks, anything, `HTTP/1.1`: the target of a Qt client may hold spaces. */
function parseRequestLine(line: string): { method: string; target: string } | HeadFault {
  const blank = line.search(/[ \t]/);
  const method = blank === -1 ? line : line.slice(0, blank);
  const rest = blank === -1 ? "" : line.slice(blank).trim();
  if (!TOKEN.test(method) || rest === "" || rest === "HTTP/1.1")
    return bad("The request line is not a request.");
  if (!rest.endsWith("HTTP/1.1")) return { status: 505, text: "" };
  return { method, target: rest.slice(0, -"HTTP/1.1".length).trimEnd() };
}

function splitTarget(target: string): [path: string, query: string] {
  const local = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const mark = local.indexOf("?");
  return mark === -1 ? [local, ""] : [local.slice(0, mark), local.slice(mark + 1)];
}

function announcesBody(name: string, value: string): boolean {
  return name === "transfer-encoding" || (name === "content-length" && value !== "0");
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function bad(text: string): HeadFault {
  return { status: 400, text };
}
