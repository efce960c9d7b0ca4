import { describe, expect, test } from "bun:test";
import { compareRounds, type Round } from "../session.ts";
import { shareOf } from "../x11/look.ts";
import { isLastWord } from "./peers.ts";

const rounds = (...times: readonly number[]): Round[] =>
  times.map((ms) => ({ signIn: ms, resume: ms / 2, drop: 5 }));

describe("the comparison of sessions", () => {
  const figures = compareRounds(
    new Map([
      ["ours", rounds(90, 100, 800)],
      ["slow", rounds(400, 400, 400)],
      ["quick", rounds(110, 120, 130)],
    ]),
  );

  test("judges each column by the fastest of the others", () => {
    const judged = figures.filter(({ goal }) => goal !== null);
    expect(judged.map(({ figure, beside, met }) => [figure, beside, met])).toEqual([
      ["sign-in → first pixel", "quick", true],
      ["resume → first pixel", "quick", true],
      ["drop → the server says so", "slow", false],
    ]);
  });

  test("shows the slower ones as well, unjudged", () => {
    expect(figures).toHaveLength(6);
    expect(figures[1]).toMatchObject({ beside: "slow", ours: 100, theirs: 400, met: null });
  });
});

test.each([
  ["begin", false],
  ["begin end", true],
  ["begin end begin", false],
  ["begin end begin end", true],
  ["end", false],
])("of a log that says %p the session waits: %p", (log, isOver) => {
  expect(isLastWord(log, "end", /begin/g)).toBe(isOver);
});

test("a colour is seen where compression has changed it by a little, and not where it is another", () => {
  const colour = { red: 0x24, green: 0x47, blue: 0x6b };
  const near = [0x6a, 0x48, 0x25, 0];
  const other = [0x6b, 0x47, 0x34, 0];
  expect(shareOf(Uint8Array.from([...near, ...other, ...near, ...other]), colour)).toBe(0.5);
  expect(shareOf(new Uint8Array(), colour)).toBe(0);
});
