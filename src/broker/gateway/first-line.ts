/**
 * Who speaks on a new connection: a browser, or a client of QVD's dialect. The first request's path says it: all of
 * the dialect's begin with `/qvd/`. What is no request at all is the dialect's to refuse, and so is one for another path
 * that no browser sends: with a bare LF at its end, or without a header.
 */

import { keepTogether } from "../keep-together.ts";

export type Speaker = "browser" | "client";

/** A longer beginning without a line's end is nobody's request. */
const MOST_BYTES = 8 * 1024;
const LF = 10;
const CR = 13;

export class FirstLine {
  readonly #chunks: Uint8Array[] = [];
  #text = "";
  /** Of a line that a browser may have sent: what comes next decides. */
  #isWhole = false;

  /** All that came, to be given to whoever turns out to be meant. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Undefined while more is needed. */
  push(chunk: Uint8Array): Speaker | undefined {
    keepTogether(this.#chunks, chunk);
    if (this.#isWhole) return decideByNext(chunk[0]);
    const end = chunk.indexOf(LF);
    this.#text += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (end === -1) return this.#text.length > MOST_BYTES ? "client" : undefined;
    const speaker = decideSpeaker(this.#text);
    // The dialect's reader would refuse the older version before the next byte has come.
    if (speaker === "client" || this.#text.endsWith("/1.0\r")) return speaker;
    this.#isWhole = true;
    return decideByNext(chunk[end + 1]);
  }
}

function decideByNext(byte: number | undefined): Speaker | undefined {
  if (byte === undefined) return undefined;
  return byte === CR || byte === LF ? "client" : "browser";
}

/** Of a request's first line. Clients of the dialect are lenient about it, browsers are not. */
export function decideSpeaker(line: string): Speaker {
  const path = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS) (\/[^ ]*) HTTP\/1\.[01]\r$/.exec(line)?.[1];
  return path === undefined || path.startsWith("/qvd/") ? "client" : "browser";
}
