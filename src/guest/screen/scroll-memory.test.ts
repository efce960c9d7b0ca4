import { expect, test } from "bun:test";
import { ScrollMemory, type Shift } from "./scroll-memory.ts";

const PLACE = { x: 10, y: 10, width: 100, height: 80 };
const shiftBy = (dy: number): Shift => ({ place: PLACE, dx: 0, dy });

test("the newest ways to scroll come first, each once, and no more than four", () => {
  const memory = new ScrollMemory();
  for (const dy of [1, 2, 3, 2, 4, 5]) memory.note(shiftBy(dy));
  expect(memory.shifts.map(({ dy }) => dy)).toEqual([5, 4, 2, 3]);
});

test("where nothing was found it is looked for more and more seldom, but always again", () => {
  const memory = new ScrollMemory();
  const looks: number[] = [];
  for (let picture = 0; picture < 60; picture++) {
    if (!memory.isWorthLooking(PLACE)) continue;
    looks.push(picture);
    memory.noteVain(PLACE);
  }
  expect(looks.slice(0, 5)).toEqual([0, 1, 3, 6, 10]);
  const [last = 0, before = 0] = looks.toReversed();
  expect(last - before).toBe(9);
});

test("a place beyond it is looked at at once, and so is all once something was found", () => {
  const memory = new ScrollMemory();
  for (let time = 0; time < 5; time++) memory.noteVain(PLACE);
  expect(memory.isWorthLooking({ ...PLACE, width: 101 })).toBe(true);
  expect(memory.isWorthLooking({ ...PLACE, width: 99 })).toBe(false);
  memory.note(shiftBy(3));
  expect(memory.isWorthLooking(PLACE)).toBe(true);
});
