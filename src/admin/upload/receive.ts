/**
 * Takes an upload into the incoming folder. The bytes go to a hidden partial file first and get their name
 * when all are there and on the disk, so that nobody sees half an image; a name that is taken is never
 * overwritten. A broken connection or a full disk leaves nothing behind.
 */

import { link, mkdir, open, statfs, unlink } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";

export type ReceiveOptions = {
  readonly folder: string;
  readonly fileName: string;
  /** As announced; undefined when the sender did not say. */
  readonly sizeBytes: number | undefined;
  readonly leastFreeBytes: number;
  /** Makes partial names unique. */
  readonly mark: string;
  readonly signal: AbortSignal;
};

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Room is looked at again after so many bytes, as others write too. */
const CHECK_EVERY_BYTES = 64 * 2 ** 20;

export type Received = { readonly fileName: string; readonly sizeBytes: number };

export async function receiveUpload(
  body: ReadableStream<Uint8Array>,
  options: ReceiveOptions,
): Promise<Received> {
  const { folder, fileName, sizeBytes } = options;
  requireFileName(fileName);
  await mkdir(folder, { recursive: true });
  await requireRoom(options, sizeBytes ?? 0);
  const partial = `${folder}/.${fileName}.${options.mark}.part`;
  try {
    const written = await write(body, partial, options);
    if (sizeBytes !== undefined && written !== sizeBytes) {
      throw new AppError(
        "bad-input",
        `the upload ended after ${written} of ${sizeBytes} bytes; send it again`,
      );
    }
    if (written === 0) throw new AppError("bad-input", "the upload was empty");
    await publishUpload(partial, options);
    return { fileName, sizeBytes: written };
  } finally {
    await unlink(partial).catch(() => {
      // Not made yet, or removed by whoever cleans the folder.
    });
  }
}

export function requireFileName(fileName: string): void {
  if (NAME.test(fileName)) return;
  throw new AppError(
    "bad-input",
    "name: the file's name must be 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit; rename the file",
    { field: "name" },
  );
}

export async function requireRoom(
  options: Pick<ReceiveOptions, "folder" | "fileName" | "leastFreeBytes">,
  neededBytes: number,
): Promise<void> {
  const room = await statfs(options.folder);
  const freeBytes = room.bavail * room.bsize - options.leastFreeBytes;
  if (freeBytes < neededBytes) {
    const free = Math.max(0, Math.floor(freeBytes / 1e6));
    throw new AppError(
      "storage-full",
      `there is no room for ${options.fileName}: ${free} MB are left for images; delete old ones first`,
    );
  }
}

async function write(
  body: ReadableStream<Uint8Array>,
  path: string,
  options: ReceiveOptions,
): Promise<number> {
  const file = await open(path, "wx", 0o640);
  let written = 0;
  let nextCheck = CHECK_EVERY_BYTES;
  try {
    for await (const chunk of body) {
      if (options.signal.aborted) throw new AppError("bad-input", "the upload was broken off");
      await file.writeFile(chunk);
      written += chunk.length;
      if (written < nextCheck) continue;
      nextCheck += CHECK_EVERY_BYTES;
      await requireRoom(options, 0);
    }
    await file.sync();
    return written;
  } catch (error) {
    throw understandFault(error, options.fileName);
  } finally {
    await file.close();
  }
}

/** A link, unlike a rename, refuses a name that is taken. */
export async function publishUpload(
  partial: string,
  options: Pick<ReceiveOptions, "folder" | "fileName">,
): Promise<void> {
  try {
    await link(partial, `${options.folder}/${options.fileName}`);
  } catch (error) {
    if (codeOf(error) === "EEXIST") {
      throw takenName(options.fileName, error);
    }
    throw understandFault(error, options.fileName);
  }
}

export function takenName(fileName: string, cause?: unknown): AppError {
  const text = `a file ${fileName} was uploaded already; give this one another name`;
  return new AppError("conflict", text, { field: "name", cause });
}

export function understandFault(error: unknown, fileName: string): unknown {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new AppError("storage-full", `the disk is full; ${fileName} was not kept`, { cause: error });
  }
  if (code === "ECONNRESET" || (error instanceof Error && error.name === "AbortError")) {
    return new AppError("bad-input", `the connection broke; ${fileName} was not kept`, { cause: error });
  }
  return error;
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
}
