/**
 * Is this file a disk that a virtual machine may start from? Its header is read by us, since QEMU's programs
 * would already follow what it names. What is on the disk is the guest's own business. Writes nothing.
 */

import { open } from "node:fs/promises";
import { parseQcow2Header, QCOW2_HEADER_BYTES } from "../domain/image/qcow2-header.ts";
import { type DiskFormat, detectContent } from "./archive-format.ts";
import { brokenImage } from "./broken-image.ts";
import { sha256Of } from "./sha256-of.ts";
import { readAt } from "./verify-archive.ts";

export type VerifiedDisk = {
  readonly format: DiskFormat;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of the disk as the guest sees it. */
  readonly virtualBytes: number;
};

const TIMEOUT_MS = 30 * 60_000;
const SECTOR_BYTES = 512;

/** Throws `image-broken` with the reason when the file is missing, something else, or not whole in itself. */
export async function verifyDisk(path: string, signal?: AbortSignal): Promise<VerifiedDisk> {
  const { format, sizeBytes, virtualBytes } = await inspectDisk(path);
  const sha256 = await sha256Of(path, { timeoutMs: TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) });
  signal?.throwIfAborted();
  return { format, sizeBytes, sha256, virtualBytes };
}

/** The cheap half: what the beginning of the file tells. Also right before each use: the file may be another by then. */
export async function inspectDisk(path: string): Promise<Omit<VerifiedDisk, "sha256">> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw brokenImage(path, "the file is missing or can't be read", cause);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw brokenImage(path, "it is not a plain file");
    const start = await readAt(file, 0, QCOW2_HEADER_BYTES);
    const content = detectContent(start);
    if (content.kind === "archive")
      throw brokenImage(path, `it is a ${content.format} archive, and ${WANTED}`);
    if (content.kind === "other") throw brokenImage(path, `it is ${content.what}, and ${WANTED}`);
    const { size: sizeBytes } = stat;
    if (content.format === "raw") {
      if (sizeBytes % SECTOR_BYTES !== 0)
        throw brokenImage(path, "it is truncated: a disk has whole sectors");
      return { format: "raw", sizeBytes, virtualBytes: sizeBytes };
    }
    const { fault, virtualBytes } = parseQcow2Header(start, sizeBytes);
    if (fault !== undefined) throw brokenImage(path, `it ${fault}`);
    return { format: "qcow2", sizeBytes, virtualBytes };
  } finally {
    await file.close();
  }
}

const WANTED =
  "desktops of this OS flavour are virtual machines: they need a disk as qcow2, or raw with a boot sector; `qemu-img convert -O qcow2` makes one of most others";
