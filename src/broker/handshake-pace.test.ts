import { expect, test } from "bun:test";
import { HandshakePace } from "./handshake-pace.ts";

function create() {
  const turns: (() => void)[] = [];
  const pace = new HandshakePace((call) => turns.push(call));
  const read: number[] = [];
  const come = (count: number) => {
    for (let number = 0; number < count; number++) {
      let isPaused = false;
      pace.admit({
        pause: () => {
          isPaused = true;
        },
        resume: () => read.push(number),
      });
      if (!isPaused) read.push(number);
    }
  };
  /** Runs what waits for the next turn; how many are read after it. */
  const turn = () => {
    turns.shift()?.();
    return read.length;
  };
  return { come, turn, turns, read };
}

test("some of a crowd are read in each turn, in the order in which they came", () => {
  const { come, turn, read } = create();
  come(20);
  expect(read.length).toBe(8);
  expect([turn(), turn(), turn()]).toEqual([16, 20, 20]);
  expect(read).toEqual(Array.from({ length: 20 }, (_none, number) => number));
});

test("who comes meanwhile waits behind those who wait", () => {
  const { come, turn, read } = create();
  come(12);
  turn();
  come(6);
  expect(read.length).toBe(16);
  expect(turn()).toBe(18);
});

test("nobody waits where few come, and no turn is asked for when all is quiet", () => {
  const { come, turn, turns, read } = create();
  come(3);
  expect(read.length).toBe(3);
  turn();
  expect(turns.length).toBe(0);
});
