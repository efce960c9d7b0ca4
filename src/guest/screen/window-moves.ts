/** Which windows of the screen were moved since somebody last asked: what X tells of the root window's children. */

import type { Rectangle } from "./rectangle.ts";

/** Where it is now, and by how much farther right and down it was before. */
export type Move = { readonly to: Rectangle; readonly dx: number; readonly dy: number };

const [DESTROYED, UNMAPPED, CONFIGURED] = [17, 18, 22];
/** Of windows that were there longest ago nothing is known any more. */
const MOST_WINDOWS = 256;

export class WindowMoves {
  /** As of the last `take`, and now. */
  readonly #before = new Map<number, Rectangle>();
  readonly #now = new Map<number, Rectangle>();

  /** Any event of X's; those of other kinds are left aside. */
  observe(event: Buffer, root: number): void {
    const kind = event.readUInt8(0) & 0x7f;
    if (kind !== DESTROYED && kind !== UNMAPPED && kind !== CONFIGURED) return;
    const window = event.readUInt32LE(8);
    if (window === root) return;
    if (kind !== CONFIGURED) {
      this.#before.delete(window);
      this.#now.delete(window);
      return;
    }
    const border = event.readUInt16LE(24);
    this.#now.delete(window);
    this.#now.set(window, {
      x: event.readInt16LE(16),
      y: event.readInt16LE(18),
      width: event.readUInt16LE(20) + 2 * border,
      height: event.readUInt16LE(22) + 2 * border,
    });
    const [oldest] = this.#now.keys();
    if (this.#now.size > MOST_WINDOWS && oldest !== undefined) this.#now.delete(oldest);
  }

  take(): readonly Move[] {
    const moves: Move[] = [];
    for (const [window, to] of this.#now) {
      const from = this.#before.get(window);
      if (from !== undefined && (from.x !== to.x || from.y !== to.y))
        moves.push({ to, dx: from.x - to.x, dy: from.y - to.y });
    }
    this.#before.clear();
    for (const [window, place] of this.#now) this.#before.set(window, place);
    return moves;
  }
}
