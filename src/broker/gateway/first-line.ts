/**
 * Who speaks on a new connection: a browser, or a client of QVD's dialect. The first request's path says it: all of
 * the dialect's begin with `/qvd/`. What is no request at all is the dialect's to refuse.
 */

export type Speaker = "browser" | "client";

/** A longer beginning without a line's end is nobody's request. */
const MOST_BYTES = 8 * 1024;
const LF = 10;

export class FirstLine {
  readonly #chunks: Uint8Array[] = [];
  #text = "";

  /** All that came, to be given to whoever turns out to be meant. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Undefined while more is needed. */
  push(chunk: Uint8Array): Speaker | undefined {
    this.#chunks.push(chunk);
    const end = chunk.indexOf(LF);
    this.#text += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (end === -1) return this.#text.length > MOST_BYTES ? "client" : undefined;
    return decideSpeaker(this.#text);
  }
}

/** Of a request's first line. Clients of the dialect are lenient about it, browsers are not. */
export function decideSpeaker(line: string): Speaker {
  const path = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS) (\/[^ ]*) HTTP\/1\.[01]\r?$/.exec(line)?.[1];
  return path === undefined || path.startsWith("/qvd/") ? "client" : "browser";
}
