/**
 * One request by curl, in the sandbox: the server's answer is parsed by a program that can reach nothing here,
 * and comes to us as bytes. Redirects are not followed, names not resolved, settings not read.
 */

import { AppError } from "../../lib/errors.ts";
import { CLEAN_ENV } from "../../lib/run.ts";
import { sandbox } from "../confine.ts";
import { MOST_HEAD_BYTES, parseResponseHead, type ResponseHead } from "./response-head.ts";

export type CurlRequest = {
  readonly url: URL;
  /** The only ones that it connects to. */
  readonly addresses: readonly string[];
  readonly headers: readonly string[];
  /** How long no byte may come, and how long connecting may take. */
  readonly stallSeconds: number;
};

export type CurlAnswer = {
  readonly head: ResponseHead;
  /** Ends with the answer; it throws when that was not all of it. */
  readonly body: AsyncIterable<Uint8Array>;
};

const MOST_MEMORY_BYTES = 1024 * 2 ** 20;

/** Hands the answer to `use`; whatever is left of it afterwards is not waited for. `unavailable` may be tried again. */
export async function withCurl<T>(
  request: CurlRequest,
  signal: AbortSignal,
  use: (answer: CurlAnswer) => Promise<T>,
): Promise<T> {
  const child = Bun.spawn(
    [...sandbox({ hasNetwork: true, mostMemoryBytes: MOST_MEMORY_BYTES }), ...wordsOf(request)],
    {
      env: { ...CLEAN_ENV },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      killSignal: "SIGKILL",
      signal,
    },
  );
  const said = new Response(child.stderr).text();
  try {
    const chunks = child.stdout[Symbol.asyncIterator]();
    const begun = await readHead(chunks);
    if (begun === undefined) throw faultOfCurl(await child.exited, await said);
    const { head, rest } = begun;
    async function* body() {
      if (rest.length > 0) yield rest;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
      const exitCode = await child.exited;
      if (exitCode !== 0) throw faultOfCurl(exitCode, await said);
    }
    return await use({ head, body: body() });
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

function wordsOf({ url, addresses, headers, stallSeconds }: CurlRequest): readonly string[] {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const host = url.hostname;
  // An address needs no resolving; for it the option would be about another name.
  const pinned = addresses.includes(host.replace(/^\[|\]$/g, ""))
    ? []
    : ["--resolve", `${host}:${port}:${addresses.join(",")}`];
  return [
    ...[
      "/usr/bin/curl",
      "-q",
      "--silent",
      "--show-error",
      "--include",
      "--http1.1",
      "--globoff",
      "--no-buffer",
    ],
    ...["--proto", "=http,https", "--max-redirs", "0", "--noproxy", "*", "--path-as-is"],
    ...[
      "--connect-timeout",
      String(stallSeconds),
      "--speed-limit",
      "1",
      "--speed-time",
      String(stallSeconds),
    ],
    ...["--user-agent", "qvd", ...pinned],
    ...["Accept: */*", "Accept-Encoding: identity", ...headers].flatMap((header) => ["--header", header]),
    ...["--url", url.href],
  ];
}

async function readHead(
  chunks: AsyncIterator<Uint8Array>,
): Promise<{ readonly head: ResponseHead; readonly rest: Uint8Array } | undefined> {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    bytes = bytes.length === 0 ? next.value : Buffer.concat([bytes, next.value]);
    const parsed = parseResponseHead(bytes);
    if (parsed.state === "whole") return { head: parsed.head, rest: bytes.subarray(parsed.bodyAt) };
    if (parsed.state === "bad" || bytes.length > MOST_HEAD_BYTES)
      throw new AppError("image-broken", "what answers there doesn't speak HTTP");
  }
  return undefined;
}

/** Certificates that don't fit, and what can't be asked for, are no better next time. */
const LASTING: Readonly<Record<number, string>> = {
  1: "its protocol is not supported",
  3: "the address is malformed",
  51: "the server's certificate is for another name",
  58: "the server wants a certificate of ours",
  60: "the server's certificate is signed by nobody that this machine trusts, or has expired",
};

function faultOfCurl(exitCode: number, said: string): AppError {
  const text =
    said
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^curl: \(\d+\) /, "")
      .slice(0, 200) ?? "";
  if (/^(bwrap|setpriv|prlimit):/.test(said.trim()))
    return new AppError(
      "driver-failed",
      `the sandbox for fetching can't be made (${text}): bubblewrap and the account qvd-image are needed`,
    );
  const lasting = LASTING[exitCode];
  if (lasting !== undefined) return new AppError("image-broken", `${lasting} (${text})`);
  if (exitCode === 28) return new AppError("unavailable", "the server was silent for too long");
  return new AppError("unavailable", `the connection failed (${text || `curl ended with ${exitCode}`})`);
}
