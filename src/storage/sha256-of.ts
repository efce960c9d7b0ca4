import { runOk } from "../lib/run.ts";

/** Hexadecimal. A program of its own, since a large file would keep us busy for seconds. */
export async function sha256Of(
  path: string,
  bounds: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<string> {
  const sums = await runOk("reading the image", ["/usr/bin/sha256sum", "--", path], bounds);
  // A name with a backslash or newline makes sha256sum put a backslash in front.
  return /^\\?([0-9a-f]{64})/.exec(sums)?.[1] ?? "";
}
