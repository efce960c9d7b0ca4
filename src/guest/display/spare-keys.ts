/**
 * Letters that the display's keyboard lacks, on keys that it has to spare, so that any letter can be typed whatever the
 * layout. TigerVNC's server presses only what is on a key in the state that the keyboard is in (Shift held or not);
 * nxagent refuses the way in which it would add one itself. The map is the display's, so all viewers share it.
 */

import { type KeyMap, parseKeyMap } from "./key-map.ts";

export type SpareKeysDeps = {
  /** As `xmodmap -pk` prints it. */
  readonly read: () => Promise<string>;
  readonly bind: (keycode: number, keysym: number) => Promise<void>;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
};

/** Somebody may choose another layout inside, which takes our keys away. */
const FRESH_MS = 10_000;

export class SpareKeys {
  readonly #deps: SpareKeysDeps;
  #map: Promise<KeyMap> | undefined;
  #known: KeyMap | undefined;
  #readAtMs = 0;
  /** Which keysym a key of ours has, the one used longest ago first. */
  #bound = new Map<number, number>();
  /** The binding that comes last; each waits for the one before. */
  #last: Promise<void> = Promise.resolve();

  constructor(deps: SpareKeysDeps) {
    this.#deps = deps;
  }

  /** Has the map read anew. */
  refresh(): void {
    this.#readAtMs = this.#deps.now();
    this.#map = this.#deps.read().then((printed) => {
      this.#known = parseKeyMap(printed);
      return this.#known;
    });
    this.#map.catch(() => {
      // Whoever waits for the map hears of its failure.
    });
  }

  /** Undefined where a key has it already; else resolves when one has. */
  ensure(keysym: number, hasShift: boolean): Promise<void> | undefined {
    if (!isLetter(keysym)) return undefined;
    if (this.#map === undefined || this.#deps.now() - this.#readAtMs > FRESH_MS) this.refresh();
    if (this.#known !== undefined && isOn(this.#known, keysym, hasShift)) return undefined;
    const add = () => this.#add(keysym, hasShift);
    // Whoever waited for the one before has heard of its failure.
    this.#last = this.#last.then(add, add);
    return this.#last;
  }

  async #add(keysym: number, hasShift: boolean): Promise<void> {
    const map = await this.#map;
    if (map === undefined || isOn(map, keysym, hasShift)) return;
    const keycode = map.spare.at(-1) ?? this.#bound.keys().next().value;
    if (keycode === undefined) return;
    await this.#deps.bind(keycode, keysym);
    const before = this.#bound.get(keycode);
    this.#bound.delete(keycode);
    this.#bound.set(keycode, keysym);
    const without = (set: ReadonlySet<number>) => [...set].filter((one) => one !== before);
    this.#known = {
      plain: new Set([...without(map.plain), keysym]),
      shifted: new Set([...without(map.shifted), keysym]),
      spare: map.spare.filter((one) => one !== keycode),
    };
    this.#map = Promise.resolve(this.#known);
  }
}

function isOn(map: KeyMap, keysym: number, hasShift: boolean): boolean {
  return (hasShift ? map.shifted : map.plain).has(keysym);
}

/** Those of Unicode and of X's own alphabets; not Return, F1 or Shift, which every keyboard has. */
function isLetter(keysym: number): boolean {
  return keysym >= 0x20 && (keysym < 0xfe00 || (keysym >= 0x1000000 && keysym <= 0x110ffff));
}
