/** The keyboard map of a display, as `xmodmap -pk` prints it. */

export type KeyMap = {
  /** Keysyms that a key gives as it is, and with Shift. */
  readonly plain: ReadonlySet<number>;
  readonly shifted: ReadonlySet<number>;
  /** Keycodes that give nothing. */
  readonly spare: readonly number[];
};

export function parseKeyMap(printed: string): KeyMap {
  const [plain, shifted] = [new Set<number>(), new Set<number>()];
  const spare: number[] = [];
  for (const line of printed.split("\n")) {
    const code = /^\s+(\d+)\s/.exec(`${line} `)?.[1];
    if (code === undefined) continue;
    const keysyms = [...line.matchAll(/\b0x([0-9a-f]+)\b/g)].map(([, digits = ""]) =>
      Number.parseInt(digits, 16),
    );
    const [first, second] = keysyms;
    if (first === undefined) spare.push(Number(code));
    else plain.add(first);
    // A key of one keysym gives it with Shift, too; a letter its capital, which is a keysym of its own in any map.
    if (first !== undefined) shifted.add(second ?? first);
  }
  return { plain, shifted, spare };
}
