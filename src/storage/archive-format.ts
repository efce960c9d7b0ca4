/** What an image file is, told by its bytes and never by its name. */

export type ArchiveFormat = "tar" | "tar.gz" | "tar.xz" | "tar.zst" | "tar.bz2";
export type DiskFormat = "qcow2" | "raw";

export type Content =
  | { readonly kind: "archive"; readonly format: ArchiveFormat }
  | { readonly kind: "disk"; readonly format: DiskFormat }
  /** `what` completes "it is …". */
  | { readonly kind: "other"; readonly what: string };

/** As many bytes of a file's beginning as `detectContent` looks at. */
export const MAGIC_BYTES = 40 * 1024;

type Magic = readonly [at: number, bytes: string, content: Content];

const other = (what: string): Content => ({ kind: "other", what });
const archive = (format: ArchiveFormat): Content => ({ kind: "archive", format });

/** Hexadecimal, the first that fits decides: a hybrid ISO has a boot sector too. */
const MAGICS: readonly Magic[] = [
  [0, "28b52ffd", archive("tar.zst")],
  [0, "fd377a585a00", archive("tar.xz")],
  [0, "1f8b08", archive("tar.gz")],
  [0, "425a68", archive("tar.bz2")],
  [0, "514649fb", { kind: "disk", format: "qcow2" }],
  [0x8001, "4344303031", other("an ISO image of a CD")],
  [0, "504b0304", other("a zip file")],
  [0, "377abcaf271c", other("a 7z file")],
  [0, "526172211a07", other("a rar file")],
  [0, "68737173", other("a squashfs file system")],
  [0x400, "e2e1f5e0", other("an erofs file system")],
  [0, "4b444d56", other("a VMDK disk of VMware")],
  [0, "23204469736b2044657363726970746f7246696c65", other("a VMDK disk of VMware")],
  [0x40, "7f10dabe", other("a VDI disk of VirtualBox")],
  [0, "7668647866696c65", other("a VHDX disk of Hyper-V")],
  [0, "636f6e6563746978", other("a VHD disk of Hyper-V")],
  [0, "514544", other("a QED disk")],
  [0, "4c554b53babe", other("an encrypted LUKS volume")],
  [0, "213c617263683e", other("a Debian package or another ar archive")],
  [0, "edabeedb", other("an RPM package")],
  [0, "303730373031", other("a cpio archive")],
  [0, "7f454c46", other("a program")],
  [0, "4d5a", other("a program of Windows")],
  [0, "04224d18", other("an lz4 file")],
  [257, "7573746172", archive("tar")],
  [0x438, "53ef", other("an ext file system without a partition table")],
  // Last, since a boot sector may stand before much else.
  [510, "55aa", { kind: "disk", format: "raw" }],
];

/** A compressed file may still hold anything: that is found when it is read. */
export function detectContent(start: Uint8Array): Content {
  if (start.length === 0) return other("empty");
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  const found = MAGICS.find(([at, magic]) => bytes.toString("hex", at, at + magic.length / 2) === magic);
  return found?.[2] ?? other("of no kind that is known here");
}

/** The option by which tar decompresses; it can't find out by itself when it reads from a pipe. */
export const TAR_OPTIONS = {
  tar: [],
  "tar.gz": ["--gzip"],
  "tar.xz": ["--xz"],
  "tar.zst": ["--zstd"],
  "tar.bz2": ["--bzip2"],
} as const satisfies Record<ArchiveFormat, readonly string[]>;
