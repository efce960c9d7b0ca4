/**
 * Takes an upload in parts, so that a broken connection costs the part under way and not the whole file. The
 * sender chooses the upload's id, says which bytes a part is (Content-Range) and may ask how many have come. A
 * part that doesn't go on where the last one ended is refused. What nobody finishes is swept after a day.
 */

import { constants } from "node:fs";
import { mkdir, open, stat, unlink } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";
import {
  publishUpload,
  type ReceiveOptions,
  requireFileName,
  requireRoom,
  takenName,
  understandFault,
} from "./receive.ts";

export type PartRange = { readonly fromByte: number; readonly totalBytes: number; readonly endByte: number };

export type PartOptions = Omit<ReceiveOptions, "sizeBytes" | "mark"> & { readonly uploadId: string };

export type PartReceived =
  | { readonly isWhole: true; readonly fileName: string; readonly sizeBytes: number }
  | { readonly isWhole: false; readonly receivedBytes: number };

const CHECK_EVERY_BYTES = 64 * 2 ** 20;
const { O_CREAT, O_WRONLY } = constants;

/** `bytes 0-99/1000`; undefined when it is none. The end is that of the next part's beginning. */
export function parseContentRange(text: string): PartRange | undefined {
  const [, from, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text) ?? [];
  const range = { fromByte: Number(from), endByte: Number(last) + 1, totalBytes: Number(total) };
  if (total === undefined || range.fromByte >= range.endByte || range.endByte > range.totalBytes)
    return undefined;
  return range;
}

/** How many bytes of an upload have come. */
export async function readReceived(
  options: Pick<PartOptions, "folder" | "fileName" | "uploadId">,
): Promise<number> {
  requireFileName(options.fileName);
  return (await stat(partialOf(options)).catch(() => undefined))?.size ?? 0;
}

export async function receivePart(
  body: ReadableStream<Uint8Array>,
  range: PartRange,
  options: PartOptions,
): Promise<PartReceived> {
  const { folder, fileName } = options;
  const received = await readReceived(options);
  await mkdir(folder, { recursive: true });
  if (range.fromByte !== received)
    throw new AppError(
      "conflict",
      `the upload of ${fileName} goes on at byte ${received}, not ${range.fromByte}`,
    );
  if (range.fromByte === 0) await requireFree(options);
  await requireRoom(options, range.totalBytes - received);
  const end = await write(body, range, options);
  if (end < range.endByte)
    throw new AppError(
      "bad-input",
      `the part ended after ${end - range.fromByte} bytes; go on at byte ${end}`,
    );
  if (end < range.totalBytes) return { isWhole: false, receivedBytes: end };
  const partial = partialOf(options);
  await publishUpload(partial, options);
  await unlink(partial);
  return { isWhole: true, fileName, sizeBytes: end };
}

/** Better told before gigabytes were sent; the link at the end decides. */
async function requireFree(options: PartOptions): Promise<void> {
  const found = await stat(`${options.folder}/${options.fileName}`).catch(() => undefined);
  if (found !== undefined) throw takenName(options.fileName);
}

async function write(
  body: ReadableStream<Uint8Array>,
  range: PartRange,
  options: PartOptions,
): Promise<number> {
  const file = await open(partialOf(options), O_CREAT | O_WRONLY, 0o640);
  let at = range.fromByte;
  let nextCheck = at + CHECK_EVERY_BYTES;
  try {
    for await (const chunk of body) {
      if (at + chunk.length > range.endByte)
        throw new AppError("bad-input", "the part is longer than it said");
      // At its place and not at the end: the request of a connection that broke may still be at work, with the same bytes.
      const { bytesWritten } = await file.write(chunk, 0, chunk.length, at);
      // A file takes less than it is given only where the disk ends.
      if (bytesWritten < chunk.length)
        throw new AppError(
          "storage-full",
          `the disk is full; ${options.fileName} can go on when there is room`,
        );
      at += chunk.length;
      if (at < nextCheck) continue;
      nextCheck = at + CHECK_EVERY_BYTES;
      await requireRoom(options, 0);
    }
    await file.sync();
    return at;
  } catch (error) {
    throw understandFault(error, options.fileName);
  } finally {
    await file.close();
  }
}

function partialOf({
  folder,
  fileName,
  uploadId,
}: Pick<PartOptions, "folder" | "fileName" | "uploadId">): string {
  if (!/^[A-Za-z0-9]{8,64}$/.test(uploadId))
    throw new AppError("bad-input", "upload: must be 8 to 64 of A-Z a-z 0-9", { field: "upload" });
  return `${folder}/.${fileName}.${uploadId}.part`;
}
