import { describe, expect, test } from "bun:test";
import { chooseDesktop, parseDesktops } from "./desktops.ts";

const desktop = (id: number, name: string, blocked = 0) => ({ id, name, state: "stopped", blocked });

describe("choosing a desktop", () => {
  const two = [desktop(1, "work"), desktop(2, "home")];
  test("takes the one that is named, by name or id", () => {
    expect(chooseDesktop(two, "home")?.id).toBe(2);
    expect(chooseDesktop(two, "1")?.name).toBe("work");
  });
  test("takes the only one without a word, and the only one that is not blocked", () => {
    expect(chooseDesktop([desktop(1, "work")], undefined)?.id).toBe(1);
    expect(chooseDesktop([desktop(1, "work", 1), desktop(2, "home")], undefined)?.id).toBe(2);
  });
  test("is a person's among several", () => {
    expect(chooseDesktop(two, undefined)).toBeUndefined();
  });
  const refused: readonly [
    what: string,
    list: ReturnType<typeof desktop>[],
    wish: string | undefined,
    words: RegExp,
  ][] = [
    ["who has none", [], undefined, /no desktop is yours/],
    ["whose only one is blocked", [desktop(1, "work", 1)], undefined, /blocked/],
    ["who names none of theirs", two, "other", /no desktop of yours is called other; there are: work, home/],
    ["who names a blocked one", [desktop(1, "work", 1)], "work", /work is blocked/],
    ["who names two", [desktop(1, "work"), desktop(2, "work")], "work", /ids 1, 2/],
  ];
  test.each(refused)("is refused to somebody %s", (_what, list, wish, words) => {
    expect(() => chooseDesktop(list, wish)).toThrow(words);
  });
});

test("a list is taken as the protocol says, and nothing else", () => {
  const line = '[{"id": 1, "name": "a", "state": "running", "blocked": 0, "is_application": 0}]';
  expect(parseDesktops(line)).toMatchObject([{ id: 1, name: "a" }]);
  for (const text of ["", "{}", '[{"id":"1"}]']) expect(() => parseDesktops(text)).toThrow(/can't be read/);
});

test("a name says nothing to a person's terminal", () => {
  const name = "work\u001b]0;root\u0007\u009b2J\r\u202ekrow";
  const line = JSON.stringify([{ id: 1, name, state: "running\u001b[A", blocked: 0 }]);
  expect(parseDesktops(line)).toMatchObject([{ name: "work ]0;root 2J krow", state: "running [A" }]);
});
