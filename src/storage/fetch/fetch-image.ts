/**
 * Fetches an image file from a web server. What came stays in a partial file with a note of what it is part
 * of, so that a broken connection, a restart of the node or of the server costs only what was under way: the
 * rest is asked for with If-Range, and a file that has changed meanwhile is begun again. The address comes
 * from a person and the answers from a stranger: each hop is parsed, resolved and pinned anew.
 */

import { open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { parseSourceUrl } from "../../domain/image/source-url.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import { isFullDisk } from "../broken-image.ts";
import { freeBytes } from "../free-bytes.ts";
import { type Lookup, resolveHost } from "./resolve-host.ts";
import { extentOf, type ResponseHead, validatorOf } from "./response-head.ts";
import { type CurlAnswer, withCurl } from "./run-curl.ts";

export type FetchOptions = {
  readonly url: string;
  /** Made when the whole file is there and on the disk. `….part` and `….part.json` beside it are the partial one. */
  readonly path: string;
  /** What others on the same disk need. */
  readonly reserveBytes: number;
  readonly stallSeconds: number;
  /** Tries in a row that bring no byte. */
  readonly mostTries: number;
  readonly firstRetryMs: number;
  readonly lookup: Lookup;
  readonly mayReach: (address: string) => boolean;
  /** Told often: after each chunk. `totalBytes` is undefined while nobody knows. */
  readonly onProgress: (doneBytes: number, totalBytes: number | undefined) => void;
};

const MOST_HOPS = 5;
const MOST_BYTES = 4 * 2 ** 40;
const SPACE_CHECK_BYTES = 32 * 2 ** 20;
const MOST_RETRY_MS = 60_000;

const Note = z.object({ url: z.string(), validator: z.string() });

/** `image-broken`, `forbidden`, `unavailable` (after all tries) and `storage-full` say why it can't be had. */
export async function fetchImage(
  options: FetchOptions,
  signal: AbortSignal,
): Promise<{ readonly sizeBytes: number }> {
  for (let failures = 0; ; ) {
    const before = await sizeOf(partOf(options));
    try {
      await fetchOnce(options, signal);
      await rename(partOf(options), options.path);
      await rm(noteOf(options), { force: true });
      return { sizeBytes: await sizeOf(options.path) };
    } catch (error) {
      signal.throwIfAborted();
      if (!isAppError(error) || error.code !== "unavailable") {
        // A full disk may be made room on; what can't be used is not kept.
        if (!isAppError(error) || error.code !== "storage-full") await forget(options);
        throw error;
      }
      failures = (await sizeOf(partOf(options))) > before ? 1 : failures + 1;
      if (failures >= options.mostTries) throw tooOften(options, failures, error);
      await sleep(backoffMs(failures, { firstMs: options.firstRetryMs, mostMs: MOST_RETRY_MS }), signal);
      signal.throwIfAborted();
    }
  }
}

/** Removes what is there of a fetch that nobody wants any more. */
export async function forget(options: Pick<FetchOptions, "path">): Promise<void> {
  await rm(partOf(options), { force: true });
  await rm(noteOf(options), { force: true });
}

async function fetchOnce(options: FetchOptions, signal: AbortSignal): Promise<void> {
  const had = await sizeOf(partOf(options));
  const note = had === 0 ? undefined : await readNote(options);
  const headers = note === undefined ? [] : [`Range: bytes=${had}-`, `If-Range: ${note}`];
  let url = requireUrl(options.url);
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const addresses = await resolveHost(url, options);
    const next = await withCurl(
      { url, addresses, headers, stallSeconds: options.stallSeconds },
      signal,
      (answer) => take(options, { answer, url, had: note === undefined ? 0 : had }),
    );
    if (next === undefined) return;
    url = next;
  }
  throw new AppError("image-broken", `it redirects more than ${MOST_HOPS} times`);
}

type Answered = { readonly answer: CurlAnswer; readonly url: URL; readonly had: number };

/** Writes the body to the partial file; returns where to go on when the answer is a redirect. */
async function take(options: FetchOptions, { answer, url, had }: Answered): Promise<URL | undefined> {
  const { head } = answer;
  if ([301, 302, 303, 307, 308].includes(head.status))
    return requireUrl(head.headers.get("location") ?? "", url);
  if (head.status === 416 && had > 0) {
    await forget(options);
    throw new AppError("unavailable", "the server can't go on where it stopped");
  }
  if (head.status !== 200 && head.status !== 206) throw faultOfStatus(head.status);
  const encoding = head.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity")
    throw new AppError("image-broken", "the server sends it in another encoding than asked for");
  const extent = extentOf(head);
  const fits = extent !== undefined && (extent.fromByte === 0 || extent.fromByte === had);
  if (!fits)
    throw new AppError(
      "image-broken",
      "the server's answer makes no sense: it says another range than asked for",
    );
  await requireRoom(options, (extent.totalBytes ?? 0) - extent.fromByte);
  await writeNote(options, head);
  await write(options, answer.body, { fromByte: extent.fromByte, totalBytes: extent.totalBytes });
  return undefined;
}

type Extent = { readonly fromByte: number; readonly totalBytes: number | undefined };

async function write(options: FetchOptions, body: AsyncIterable<Uint8Array>, extent: Extent): Promise<void> {
  const file = await open(partOf(options), extent.fromByte === 0 ? "w" : "r+", 0o640);
  let done = extent.fromByte;
  let nextCheck = done + SPACE_CHECK_BYTES;
  try {
    for await (const chunk of body) {
      if (done + chunk.length > (extent.totalBytes ?? MOST_BYTES))
        throw new AppError("image-broken", "the server sends more than it announced");
      const { bytesWritten } = await file.write(chunk, 0, chunk.length, done);
      // A file takes less than it is given only where the disk ends.
      if (bytesWritten < chunk.length) throw full();
      done += chunk.length;
      options.onProgress(done, extent.totalBytes);
      if (done < nextCheck) continue;
      nextCheck = done + SPACE_CHECK_BYTES;
      await requireRoom(options, 0);
    }
    if (extent.totalBytes !== undefined && done < extent.totalBytes)
      throw new AppError("unavailable", `the connection ended after ${done} of ${extent.totalBytes} bytes`);
    if (done === 0) throw new AppError("image-broken", "the server sends an empty file");
    await file.sync();
  } catch (error) {
    if (
      error instanceof Error &&
      !isAppError(error) &&
      isFullDisk(`${error.message} ${Reflect.get(error, "code")}`)
    )
      throw full();
    throw error;
  } finally {
    await file.close();
  }
}

function requireUrl(text: string, base?: URL): URL {
  const parsed = parseSourceUrl(text, base);
  if (parsed.fault === undefined) return parsed.url;
  const what = base === undefined ? "its address" : "the address it redirects to";
  throw new AppError("image-broken", `${what} ${parsed.fault}`);
}

function faultOfStatus(status: number): AppError {
  const mayPass = status >= 500 || [408, 425, 429].includes(status);
  return new AppError(mayPass ? "unavailable" : "image-broken", `the server answers ${status}`);
}

function tooOften(options: FetchOptions, tries: number, cause: AppError): AppError {
  return new AppError(
    "unavailable",
    `${cause.message}; ${tries} tries in a row brought nothing (${new URL(options.url).host})`,
    { cause },
  );
}

async function requireRoom(options: FetchOptions, neededBytes: number): Promise<void> {
  if (neededBytes > MOST_BYTES) throw new AppError("image-broken", "it is larger than any image may be");
  if ((await freeBytes(dirname(options.path))) - options.reserveBytes < neededBytes) throw full(neededBytes);
}

function full(neededBytes = 0): AppError {
  const needed = neededBytes === 0 ? "" : ` for its ${Math.ceil(neededBytes / 1e6)} MB`;
  return new AppError(
    "storage-full",
    `there is no room${needed} on the disk of the images; delete old ones and enrol it again`,
  );
}

async function readNote(options: FetchOptions): Promise<string | undefined> {
  const text = await readFile(noteOf(options), "utf8").catch(() => "");
  try {
    const note = Note.safeParse(JSON.parse(text));
    return note.success && note.data.url === options.url ? note.data.validator : undefined;
  } catch {
    // Written half, or never: the file is begun again.
    return undefined;
  }
}

async function writeNote(options: FetchOptions, head: ResponseHead): Promise<void> {
  const validator = validatorOf(head);
  if (validator === undefined) await rm(noteOf(options), { force: true });
  else await writeFile(noteOf(options), JSON.stringify({ url: options.url, validator }), { mode: 0o640 });
}

function partOf({ path }: Pick<FetchOptions, "path">): string {
  return `${path}.part`;
}

function noteOf({ path }: Pick<FetchOptions, "path">): string {
  return `${path}.part.json`;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
