/** Reads a broker's answers out of the bytes of a connection, however they are cut. Memory is bounded. */

import { AppError } from "../lib/errors.ts";

export type BrokerAnswer = {
  readonly status: number;
  /** By lower-case names; the last of equal ones. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

const MOST_HEAD_BYTES = 32 * 1024;
const MOST_BODY_BYTES = 4 * 2 ** 20;

export class AnswerReader {
  #bytes = Buffer.alloc(0);

  push(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /** The next answer; undefined until it is whole. Throws `protocol` at what is none. */
  next(): BrokerAnswer | undefined {
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#bytes.length > MOST_HEAD_BYTES) throw noAnswer("its head has no end");
      return undefined;
    }
    const [first = "", ...lines] = this.#bytes.subarray(0, end).toString("latin1").split("\r\n");
    const [, status] = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(first) ?? [];
    if (status === undefined) throw noAnswer(`it begins with ${JSON.stringify(first.slice(0, 40))}`);
    const headers = new Map(lines.map(parseHeader));
    const length = Number(headers.get("content-length") ?? 0);
    if (!Number.isSafeInteger(length) || length < 0 || length > MOST_BODY_BYTES)
      throw noAnswer("its length makes no sense");
    const size = end + 4 + length;
    if (this.#bytes.length < size) return undefined;
    const body = this.#bytes.subarray(end + 4, size).toString("utf8");
    this.#bytes = this.#bytes.subarray(size);
    return { status: Number(status), headers, body };
  }

  /** What came after the last answer: after a 101, the session's first bytes. */
  takeRest(): Uint8Array {
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return rest;
  }
}

function parseHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function noAnswer(why: string): AppError {
  return new AppError("protocol", `what answers there is no QVD broker: ${why}. Check host and port.`);
}
