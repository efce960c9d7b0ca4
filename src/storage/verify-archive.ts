/**
 * Is this file an image of a desktop? Reads all of it once: what is truncated, corrupt or something else is
 * found when it is enrolled. Writes nothing.
 */

import { type FileHandle, open } from "node:fs/promises";
import { runOk } from "../lib/run.ts";
import { type ArchiveFormat, detectFormat, MAGIC_BYTES } from "./archive-format.ts";
import { brokenImage, faultOfTar } from "./broken-image.ts";
import { createInspector } from "./inspect-listing.ts";
import { LISTING_CONFINEMENT, runTar } from "./run-tar.ts";

export type VerifiedArchive = {
  readonly format: ArchiveFormat;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly unpackedBytes: number;
};

const TIMEOUT_MS = 10 * 60_000;
const END_BYTES = 1024;

/** Throws `image-broken` with the reason when the file is missing, truncated, corrupt or no root file system. */
export async function verifyArchive(archivePath: string, signal?: AbortSignal): Promise<VerifiedArchive> {
  const { format, sizeBytes } = await openArchive(archivePath);
  const bounds = { timeoutMs: TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
  const inspector = createInspector();
  const [sums, tar] = await Promise.all([
    runOk("reading the image", ["/usr/bin/sha256sum", "--", archivePath], bounds),
    runTar({
      ...bounds,
      archivePath,
      format,
      cwd: "/",
      confinement: LISTING_CONFINEMENT,
      // --absolute-names: otherwise tar hides the leading slash that we want to refuse.
      action: ["--list", "--verbose", "--numeric-owner", "--full-time", "--absolute-names"],
      onLine: inspector.take,
    }),
  ]);
  signal?.throwIfAborted();
  if (tar.exitCode !== 0) throw brokenImage(archivePath, faultOfTar(tar.said));
  const { fault, unpackedBytes } = inspector.finish();
  if (fault !== undefined) throw brokenImage(archivePath, fault);
  // A name with a backslash or newline makes sha256sum put a backslash in front.
  const sha256 = /^\\?([0-9a-f]{64})/.exec(sums)?.[1] ?? "";
  return { format, sizeBytes, sha256, unpackedBytes };
}

export type OpenedArchive = { readonly format: ArchiveFormat; readonly sizeBytes: number };

/** The cheap half: is it there, a plain file, of a known format? */
export async function openArchive(archivePath: string): Promise<OpenedArchive> {
  const file = await open(archivePath, "r").catch((cause: unknown) => {
    throw brokenImage(archivePath, "the file is missing or can't be read", cause);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw brokenImage(archivePath, "it is not a plain file");
    const format = detectFormat(await readAt(file, 0, MAGIC_BYTES));
    if (format === undefined)
      throw brokenImage(archivePath, "it is not a tar, tar.gz, tar.xz or tar.zst file");
    // tar takes a plain archive that ends between two entries for a whole one; its end mark tells.
    if (format === "tar") {
      const end = await readAt(file, Math.max(0, stat.size - END_BYTES), END_BYTES);
      if (end.some((byte) => byte !== 0)) throw brokenImage(archivePath, "it is truncated");
    }
    return { format, sizeBytes: stat.size };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
