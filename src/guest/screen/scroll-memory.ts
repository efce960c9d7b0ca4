/** What was lately scrolled on a viewer's screen, and where nothing was: film changes wholly, and is no scroll each time. */

import { holds, type Rectangle } from "./rectangle.ts";

/** What is at a place now was so much farther right and down. */
export type Shift = { readonly place: Rectangle; readonly dx: number; readonly dy: number };

/** Ways to scroll that are remembered: pictures that are left out make them differ. */
const MOST_SHIFTS = 4;
/** Of pictures, that go by before it is looked for once more. */
const MOST_REST = 8;

export class ScrollMemory {
  #shifts: readonly Shift[] = [];
  #vain: { readonly place: Rectangle; readonly times: number; rest: number } | undefined;

  /** Whoever scrolls goes on: the likeliest first. */
  get shifts(): readonly Shift[] {
    return this.#shifts;
  }

  note(shift: Shift): void {
    const others = this.#shifts.filter(({ dy }) => dy !== shift.dy);
    this.#shifts = [shift, ...others].slice(0, MOST_SHIFTS);
    this.#vain = undefined;
  }

  /** Counts the pictures, so it is to be asked once for each. */
  isWorthLooking(place: Rectangle): boolean {
    if (this.#vain === undefined || !holds(this.#vain.place, place)) return true;
    return this.#vain.rest-- <= 0;
  }

  /** Everything at a place changed, and none of it was found elsewhere. */
  noteVain(place: Rectangle): void {
    const isSame = this.#vain !== undefined && holds(this.#vain.place, place);
    const times = isSame ? (this.#vain?.times ?? 0) + 1 : 0;
    this.#vain = {
      place: isSame ? (this.#vain?.place ?? place) : place,
      times,
      rest: Math.min(times, MOST_REST),
    };
  }
}
