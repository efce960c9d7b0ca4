/** An answer of the client's on the slave channel, as QVD 4's programs write it: heads of 102 may come before it. */

export type ClientAnswer = { readonly status: number; readonly body: string };

/** Undefined until it is there whole. */
export function parseClientAnswer(bytes: Uint8Array): ClientAnswer | undefined {
  // One character a byte, so that lengths are those of the head.
  let text = Buffer.from(bytes).toString("latin1");
  for (;;) {
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) return undefined;
    const head = text.slice(0, end.index);
    const rest = text.slice(end.index + end[0].length);
    const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(head)?.[1] ?? 0);
    if (status === 102) {
      text = rest;
      continue;
    }
    const size = Number(/^Content-Length:\s*(\d{1,9})\s*$/im.exec(head)?.[1] ?? 0);
    if (rest.length < size) return undefined;
    return { status, body: Buffer.from(rest.slice(0, size), "latin1").toString("utf8") };
  }
}
