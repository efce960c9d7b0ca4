/** What an image file is, told by its first bytes and never by its name. */

export type ArchiveFormat = "tar" | "tar.gz" | "tar.xz" | "tar.zst";

/** As many bytes of a file's beginning as `detectFormat` looks at. */
export const MAGIC_BYTES = 512;

const MAGICS: readonly {
  readonly format: ArchiveFormat;
  readonly at: number;
  readonly bytes: readonly number[];
}[] = [
  { format: "tar.zst", at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { format: "tar.xz", at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { format: "tar.gz", at: 0, bytes: [0x1f, 0x8b, 0x08] },
  { format: "tar", at: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] },
];

/** Undefined where the bytes are none of ours. A compressed file may still hold anything. */
export function detectFormat(start: Uint8Array): ArchiveFormat | undefined {
  return MAGICS.find(({ at, bytes }) => bytes.every((byte, index) => start[at + index] === byte))?.format;
}

/** The option by which tar decompresses; it can't find out by itself when it reads from a pipe. */
export const TAR_OPTIONS = {
  tar: [],
  "tar.gz": ["--gzip"],
  "tar.xz": ["--xz"],
  "tar.zst": ["--zstd"],
} as const satisfies Record<ArchiveFormat, readonly string[]>;
