/** How long each message of an RFB viewer is: for RFB 3.8 without encryption, after its greeting. */

/** What a viewer says first: version, kind of security (none); then a byte, whether others may look. */
export const GREETING = Buffer.from("RFB 003.008\n\x01", "latin1");
export const GREETING_BYTES = GREETING.length + 1;

export const CLIENT_MESSAGE = {
  setPixelFormat: 0,
  setEncodings: 2,
  updateRequest: 3,
  key: 4,
  pointer: 5,
  cutText: 6,
  continuousUpdates: 150,
  fence: 248,
  xvp: 250,
  setDesktopSize: 251,
  qemu: 255,
} as const;

type Length = {
  /** Bytes needed to tell the length, and the length; both with the type's byte. */
  readonly headBytes: number;
  readonly of: (bytes: Uint8Array, at: number) => number;
};

const fixed = (bytes: number): Length => ({ headBytes: 1, of: () => bytes });
const byte = (bytes: Uint8Array, at: number) => bytes[at] ?? 0;

const LENGTHS: Readonly<Record<number, Length>> = {
  [CLIENT_MESSAGE.setPixelFormat]: fixed(20),
  [CLIENT_MESSAGE.setEncodings]: {
    headBytes: 4,
    of: (bytes, at) => 4 + 4 * ((byte(bytes, at + 2) << 8) | byte(bytes, at + 3)),
  },
  [CLIENT_MESSAGE.updateRequest]: fixed(10),
  [CLIENT_MESSAGE.key]: fixed(8),
  [CLIENT_MESSAGE.pointer]: fixed(6),
  // Negative: the extended clipboard.
  [CLIENT_MESSAGE.cutText]: {
    headBytes: 8,
    of: (bytes, at) => 8 + Math.abs(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getInt32(4)),
  },
  [CLIENT_MESSAGE.continuousUpdates]: fixed(10),
  [CLIENT_MESSAGE.fence]: { headBytes: 9, of: (bytes, at) => 9 + byte(bytes, at + 8) },
  [CLIENT_MESSAGE.xvp]: fixed(4),
  [CLIENT_MESSAGE.setDesktopSize]: { headBytes: 8, of: (bytes, at) => 8 + 16 * byte(bytes, at + 6) },
  // Of QEMU's messages viewers send one: a key with its scan code.
  [CLIENT_MESSAGE.qemu]: fixed(12),
};

/** Of the message that begins `at` there. `unknown` ends all reading: where the next one begins can't be told. */
export function readMessageLength(bytes: Uint8Array, at = 0): number | "more" | "unknown" {
  const type = bytes[at];
  if (type === undefined) return "more";
  const length = LENGTHS[type];
  if (length === undefined) return "unknown";
  if (bytes.length - at < length.headBytes) return "more";
  return length.of(bytes, at);
}
