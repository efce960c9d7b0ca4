/**
 * What the beginning of a qcow2 file says of itself (QEMU, docs/interop/qcow2.txt). An image that comes from
 * a stranger, and a disk that a guest has written to, must be whole in itself: a backing or external data file,
 * which may be named in the header or in one of its extensions, would be a path of our machine, opened with
 * qemu's rights. Pure; no program of QEMU's looks at a file before this has.
 */

export type Qcow2Header = {
  readonly virtualBytes: number;
  /** Why it can't be an image; completes "it …". */
  readonly fault: string | undefined;
};

/** As many bytes as `parseQcow2Header` looks at. */
export const QCOW2_HEADER_BYTES = 64 * 1024;

const DIRTY = 1n << 0n;
const CORRUPT = 1n << 1n;
const EXTERNAL_DATA = 1n << 2n;
const COMPRESSION = 1n << 3n;
const EXTENDED_L2 = 1n << 4n;
const KNOWN = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION | EXTENDED_L2;
const EXTENSION_BACKING_FORMAT = 0xe2792aca;
const EXTENSION_DATA_FILE = 0x44415441;
const EXTENSION_ENCRYPTION = 0x0537be77;
const MOST_VIRTUAL_BYTES = 16n * 2n ** 40n;

/** `start` begins at the file's first byte; `fileBytes` is the size of the whole file. */
export function parseQcow2Header(start: Uint8Array, fileBytes: number): Qcow2Header {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (bytes.length < 72) return { virtualBytes: 0, fault: "is truncated" };
  const virtual = bytes.readBigUInt64BE(24);
  return { virtualBytes: Number(virtual), fault: findFault(bytes, { virtual, fileBytes }) };
}

function findFault(
  bytes: Buffer,
  size: { readonly virtual: bigint; readonly fileBytes: number },
): string | undefined {
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) return `is a qcow2 of version ${version}, which is not known`;
  if (bytes.readBigUInt64BE(8) !== 0n || bytes.readUInt32BE(16) !== 0)
    return "stands on a backing file; make it whole with `qemu-img convert -O qcow2`";
  if (bytes.readUInt32BE(32) !== 0) return "is encrypted";
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) return "has clusters of a size that QEMU doesn't know";
  if (size.virtual === 0n) return "is a disk of no size";
  if (size.virtual > MOST_VIRTUAL_BYTES) return "is a disk of more than 16 TiB";
  if (bytes.readUInt32BE(60) !== 0)
    return "has snapshots inside; remove them with `qemu-img convert -O qcow2`";
  const tableEnd = bytes.readBigUInt64BE(40) + BigInt(bytes.readUInt32BE(36)) * 8n;
  if (tableEnd > BigInt(size.fileBytes)) return "is truncated";
  let headerBytes = 72;
  if (version === 3) {
    if (bytes.length < 104) return "is truncated";
    headerBytes = bytes.readUInt32BE(100);
    if (headerBytes < 104) return "is truncated";
    const features = bytes.readBigUInt64BE(72);
    if ((features & EXTERNAL_DATA) !== 0n) return "keeps its data in another file";
    if ((features & CORRUPT) !== 0n) return "is marked as corrupt";
    if ((features & ~KNOWN) !== 0n) return "asks for features that are not known";
  }
  return faultOfExtensions(bytes, headerBytes);
}

function faultOfExtensions(bytes: Buffer, first: number): string | undefined {
  for (let at = first; at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32BE(at);
    if (type === 0) return undefined;
    if (type === EXTENSION_BACKING_FORMAT) return "stands on a backing file";
    if (type === EXTENSION_DATA_FILE) return "keeps its data in another file";
    if (type === EXTENSION_ENCRYPTION) return "is encrypted";
    at += 8 + Math.ceil(bytes.readUInt32BE(at + 4) / 8) * 8;
  }
  return "has a header without an end";
}
