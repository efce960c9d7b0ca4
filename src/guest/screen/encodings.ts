/** Numbers of RFB's encodings, as far as they matter here. */

export const ENCODING = { raw: 0, copyRect: 1, tight: 7 } as const;

/** What is told of besides pictures. */
export const PSEUDO = {
  desktopSize: -223,
  cursor: -239,
  qemuKey: -258,
  ledState: -261,
  desktopName: -307,
  extendedDesktopSize: -308,
  xvp: -309,
  fence: -312,
  continuousUpdates: -313,
  /** 0x574d5664 */
  vmwareCursor: 1464686180,
  /** 0xc0a1e5ce */
  extendedClipboard: -1063131698,
} as const;

/** Those that the screen's server may tell a viewer of by itself; all others are ours, or nobody's. */
const PASSED: readonly number[] = [
  PSEUDO.desktopSize,
  PSEUDO.cursor,
  PSEUDO.qemuKey,
  PSEUDO.ledState,
  PSEUDO.desktopName,
  PSEUDO.extendedDesktopSize,
  PSEUDO.xvp,
  PSEUDO.vmwareCursor,
  PSEUDO.extendedClipboard,
];

/** The viewer's wish for the quality of JPEGs: ten levels from here on. */
const FIRST_QUALITY = -32;
/** Of JPEGs at those levels; the bytes are fewer than TigerVNC's for the same, which keeps colours as sharp as light. */
const QUALITIES = [15, 25, 35, 45, 58, 70, 82, 86, 90, 95];

export type Wishes = {
  readonly hasCopyRect: boolean;
  readonly hasTight: boolean;
  readonly hasFence: boolean;
  readonly hasContinuousUpdates: boolean;
  /** Without it all is sent without loss. */
  readonly photoQuality: number | undefined;
};

export function readWishes(encodings: readonly number[]): Wishes {
  const level = encodings.find((one) => one >= FIRST_QUALITY && one < FIRST_QUALITY + QUALITIES.length);
  return {
    hasCopyRect: encodings.includes(ENCODING.copyRect),
    hasTight: encodings.includes(ENCODING.tight),
    hasFence: encodings.includes(PSEUDO.fence),
    hasContinuousUpdates: encodings.includes(PSEUDO.continuousUpdates),
    photoQuality: level === undefined ? undefined : QUALITIES[level - FIRST_QUALITY],
  };
}

/** What the screen's server is asked for in place of what the viewer asked for. */
export function planServerEncodings(encodings: readonly number[]): readonly number[] {
  return [ENCODING.raw, ...[...new Set(encodings)].filter((one) => PASSED.includes(one))];
}

export function parseEncodings(message: Buffer): number[] {
  const count = message.readUInt16BE(2);
  return Array.from({ length: count }, (_, at) => message.readInt32BE(4 + 4 * at));
}

export function formatEncodings(encodings: readonly number[]): Buffer {
  const message = Buffer.alloc(4 + 4 * encodings.length);
  message.writeUInt8(2, 0);
  message.writeUInt16BE(encodings.length, 2);
  for (const [at, encoding] of encodings.entries()) message.writeInt32BE(encoding, 4 + 4 * at);
  return message;
}
