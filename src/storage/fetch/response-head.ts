/** The head of an HTTP/1.1 answer as curl passes it on, interim ones left out. Pure; the server is a stranger. */

export type ResponseHead = {
  readonly status: number;
  /** Names in lower case; of a repeated one the first counts. */
  readonly headers: ReadonlyMap<string, string>;
};

export type ParsedHead =
  | { readonly state: "more" }
  | { readonly state: "bad" }
  | { readonly state: "whole"; readonly head: ResponseHead; readonly bodyAt: number };

export const MOST_HEAD_BYTES = 64 * 1024;

const MOST_INTERIM = 8;

/** `bytes` is all that came so far. */
export function parseResponseHead(bytes: Uint8Array): ParsedHead {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST_HEAD_BYTES)).toString(
    "latin1",
  );
  let at = 0;
  for (let heads = 0; heads <= MOST_INTERIM; heads++) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end === -1) return bytes.length >= MOST_HEAD_BYTES ? { state: "bad" } : { state: "more" };
    const [first = "", ...lines] = text.slice(at, end).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]);
    if (Number.isNaN(status)) return { state: "bad" };
    at = end + 4;
    if (status >= 200) return { state: "whole", head: { status, headers: parseHeaders(lines) }, bodyAt: at };
  }
  return { state: "bad" };
}

function parseHeaders(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

/** What the answer says of the whole file: where its body begins in it, and how long the file is. */
export function extentOf(
  head: ResponseHead,
): { readonly fromByte: number; readonly totalBytes: number | undefined } | undefined {
  if (head.status === 206) {
    const [, from, to, total] =
      /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(head.headers.get("content-range") ?? "") ?? [];
    if (from === undefined || to === undefined || Number(to) < Number(from)) return undefined;
    return { fromByte: Number(from), totalBytes: total === "*" ? undefined : Number(total) };
  }
  const length = head.headers.get("content-length");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  return { fromByte: 0, totalBytes: length === undefined ? undefined : Number(length) };
}

/** What proves that the rest is of the same file, for `If-Range`; undefined when the server gives nothing that does. */
export function validatorOf(head: ResponseHead): string | undefined {
  const tag = head.headers.get("etag");
  if (tag !== undefined && /^"[\x21\x23-\x7e]{0,200}"$/.test(tag)) return tag;
  const modified = head.headers.get("last-modified");
  return modified !== undefined && /^[A-Za-z0-9 ,:+-]{10,40}$/.test(modified) ? modified : undefined;
}
