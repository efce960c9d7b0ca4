/** What the first bytes of a disk say: whether it may be given to a machine, as which format. Pure. */

import { parseQcow2Header, QCOW2_HEADER_BYTES } from "./qcow2-header.ts";

export type DiskHeader =
  | { readonly isGood: true; readonly format: "qcow2" | "raw"; readonly virtualBytes: number | undefined }
  /** `reason` completes "the image can't be used: …". */
  | { readonly isGood: false; readonly reason: string };

/** So many bytes from the start are enough; fewer are taken as all that there is. */
export const DISK_HEADER_BYTES = QCOW2_HEADER_BYTES;

const QCOW2_MAGIC = Buffer.from("QFI\u00fb", "latin1");
const SECTOR_BYTES = 512;

/**
 * Raw is what has a boot sector: there is no other mark of it. `fileBytes` is the size of the whole file.
 */
export function parseDiskHeader(start: Uint8Array, fileBytes: number): DiskHeader {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (bytes.length < SECTOR_BYTES) return { isGood: false, reason: "it is too short for a disk" };
  if (bytes.subarray(0, QCOW2_MAGIC.length).equals(QCOW2_MAGIC)) {
    const { fault, virtualBytes } = parseQcow2Header(bytes, fileBytes);
    return fault === undefined
      ? { isGood: true, format: "qcow2", virtualBytes }
      : { isGood: false, reason: `it ${fault}` };
  }
  if (bytes.readUInt16BE(SECTOR_BYTES - 2) === 0x55aa)
    return { isGood: true, format: "raw", virtualBytes: undefined };
  const reason =
    "it is no qcow2 file, and no raw disk since it has no boot sector; qemu-img convert makes qcow2 of others";
  return { isGood: false, reason };
}
