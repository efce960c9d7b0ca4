/**
 * What the first bytes of a disk image say. Pure. A qcow2 file can name other files of the host that whoever
 * opens it reads as its own: a backing file and an external data file. An image with either is refused, here
 * and not by QEMU's tools, which would have opened it by then.
 */

export type DiskHeader =
  | { readonly isGood: true; readonly format: "qcow2" | "raw"; readonly virtualBytes: number | undefined }
  | { readonly isGood: false; readonly reason: string };

/** So many bytes from the start are enough; fewer are taken as all that there is. */
export const DISK_HEADER_BYTES = 512;

const QCOW2_MAGIC = 0x514649fb;
const EXTERNAL_DATA = 1n << 2n;
/** Dirty, corrupt, external data, compression type, extended L2: what QEMU 7.2 knows. */
const KNOWN_FEATURES = (1n << 5n) - 1n;
const SECTOR_BYTES = 512;
/** Raw is what has a boot sector: there is no other mark of it. */
export function parseDiskHeader(head: Uint8Array): DiskHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 104) return refuse("it is too short for a disk");
  if (view.getUint32(0) === QCOW2_MAGIC) return parseQcow2(view);
  const hasBootMark = head.length >= SECTOR_BYTES && view.getUint16(SECTOR_BYTES - 2) === 0x55aa;
  if (!hasBootMark)
    return refuse(
      "it is no qcow2 file, and no raw disk since it has no boot sector; qemu-img convert makes qcow2 of others",
    );
  return { isGood: true, format: "raw", virtualBytes: undefined };
}

function parseQcow2(view: DataView): DiskHeader {
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) return refuse(`it is qcow2 of the unknown version ${version}`);
  if (view.getBigUint64(8) !== 0n || view.getUint32(16) !== 0)
    return refuse("it lies over a backing file; make it whole with qemu-img convert");
  if (view.getUint32(32) !== 0) return refuse("it is encrypted");
  const features = version === 2 ? 0n : view.getBigUint64(72);
  if ((features & EXTERNAL_DATA) !== 0n)
    return refuse("its data lies in another file; make it whole with qemu-img convert");
  if ((features & ~KNOWN_FEATURES) !== 0n) return refuse("it has features that are unknown here");
  const virtualBytes = Number(view.getBigUint64(24));
  if (virtualBytes < SECTOR_BYTES || !Number.isSafeInteger(virtualBytes))
    return refuse("its size makes no sense");
  return { isGood: true, format: "qcow2", virtualBytes };
}

function refuse(reason: string): DiskHeader {
  return { isGood: false, reason };
}
