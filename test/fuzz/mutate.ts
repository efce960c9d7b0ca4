/** Inputs that are nearly right: what a stranger, a broken client or a broken disk sends. Pure. */

export type Random = () => number;

export type Corpus = {
  /** Inputs that are right, which the others are made from. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something to whoever reads them. */
  readonly spice: readonly string[];
};

const MOST_CHANGES = 6;
const MOST_BYTES = 64 * 1024;
/** Where numbers turn over. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff] as const;

export function mutate(corpus: Corpus, random: Random): Uint8Array {
  const below = (most: number) => Math.floor(random() * most);
  const pick = <T>(from: readonly T[]): T | undefined => from[below(from.length)];
  let bytes = Buffer.from(pick(corpus.seeds) ?? []);
  for (let changes = 1 + below(MOST_CHANGES); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const before = bytes.subarray(0, at);
    const after = bytes.subarray(at);
    const few = 1 + below(below(8) === 0 ? 4_096 : 8);
    switch (below(7)) {
      case 0:
        bytes = Buffer.concat([before, after.subarray(few)]);
        break;
      case 1:
        bytes = Buffer.concat([before, Buffer.from(pick(corpus.spice) ?? "", "latin1"), after]);
        break;
      case 2:
        bytes = Buffer.concat([before, Buffer.from(pick(corpus.seeds) ?? []), after]);
        break;
      case 3:
        bytes = Buffer.concat([before, Buffer.alloc(few, below(256)), after]);
        break;
      case 4:
        bytes = Buffer.concat([before, after.subarray(0, few), after]);
        break;
      case 5:
        bytes = Buffer.concat([before, Buffer.of(pick(EDGES) ?? 0), after.subarray(1)]);
        break;
      default:
        bytes = Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << below(8))), after.subarray(1)]);
    }
    if (bytes.length > MOST_BYTES) bytes = bytes.subarray(0, MOST_BYTES);
  }
  return bytes;
}
