/**
 * Is this file an image of a desktop? Reads all of it once: what is truncated, corrupt or something else is
 * found when it is enrolled. Writes nothing.
 */

import { type FileHandle, open } from "node:fs/promises";
import { type ArchiveFormat, detectContent, MAGIC_BYTES } from "./archive-format.ts";
import { brokenImage, faultOfTar } from "./broken-image.ts";
import { sandbox } from "./confine.ts";
import { createInspector } from "./inspect-listing.ts";
import { runTar } from "./run-tar.ts";
import { sha256Of } from "./sha256-of.ts";

export type VerifiedArchive = {
  readonly format: ArchiveFormat;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly unpackedBytes: number;
};

const TIMEOUT_MS = 10 * 60_000;
const END_BYTES = 1024;
const MOST_MEMORY_BYTES = 1536 * 2 ** 20;

/** Throws `image-broken` with the reason when the file is missing, truncated, corrupt or no root file system. */
export async function verifyArchive(archivePath: string, signal?: AbortSignal): Promise<VerifiedArchive> {
  const { format, sizeBytes } = await openArchive(archivePath);
  const inspector = createInspector(sizeBytes);
  const refused = new AbortController();
  const bounds = { timeoutMs: TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
  const [sha256, tar] = await Promise.all([
    sha256Of(archivePath, bounds),
    runTar({
      timeoutMs: TIMEOUT_MS,
      signal: signal === undefined ? refused.signal : AbortSignal.any([signal, refused.signal]),
      archivePath,
      format,
      cwd: "/",
      confinement: sandbox({ hasNetwork: false, mostMemoryBytes: MOST_MEMORY_BYTES }),
      // --absolute-names: otherwise tar hides the leading slash that we want to refuse.
      action: ["--list", "--verbose", "--numeric-owner", "--full-time", "--absolute-names"],
      onLine(line) {
        inspector.take(line);
        if (inspector.fault !== undefined) refused.abort();
      },
    }),
  ]);
  signal?.throwIfAborted();
  if (inspector.fault !== undefined) throw brokenImage(archivePath, inspector.fault);
  if (tar.exitCode !== 0) throw brokenImage(archivePath, faultOfTar(tar.said));
  const { fault, unpackedBytes } = inspector.finish();
  if (fault !== undefined) throw brokenImage(archivePath, fault);
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
    const content = detectContent(await readAt(file, 0, MAGIC_BYTES));
    if (content.kind === "disk")
      throw brokenImage(archivePath, `it is a disk image (${content.format}), and ${WANTED}`);
    if (content.kind === "other") throw brokenImage(archivePath, `it is ${content.what}, and ${WANTED}`);
    const { format } = content;
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

const WANTED =
  "desktops of this OS flavour are containers: they need a root file system as tar, tar.gz, tar.xz, tar.zst or tar.bz2";

export async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
