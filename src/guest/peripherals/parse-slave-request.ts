/** The head of a request on the slave channel: HTTP/1.1 as QVD's clients write it, with bare line feeds too. */

export type SlaveRequest = {
  readonly method: string;
  /** As written; clients escape it, or don't. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
};

export const MOST_HEAD_BYTES = 16 * 1024;

/** Undefined when it is none. `head` ends before the empty line. */
export function parseSlaveRequest(head: string): SlaveRequest | undefined {
  const [first = "", ...lines] = head.split("\n").map((line) => line.replace(/\r$/, ""));
  // The Qt client leaves blanks in a path as they are.
  const found = /^([A-Z]{1,16}) (\/.*) HTTP\/1\.[01]$/.exec(first);
  const [, method, target] = found ?? [];
  if (method === undefined || target === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.set(name.toLowerCase(), value);
  }
  return { method, target, headers };
}
