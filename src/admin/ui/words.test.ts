/** The small words of the pages: distances, sizes, actors, sentences, places to go back to. */

import { describe, expect, test } from "bun:test";
import { parseStateGroup, STATE_GROUPS, VM_STATE_TEXTS } from "../../ui/vm-state.ts";
import { capitalize } from "../form.ts";
import { localPath } from "../redirect.ts";
import { formatDistance, formatDuration } from "./moment.tsx";
import { formatSize } from "./size.ts";
import { formatActor } from "./trail.tsx";

describe("words", () => {
  const DURATIONS: readonly (readonly [number, string])[] = [
    [-5, "0 s"],
    [59_400, "59 s"],
    [60_000, "1 min"],
    [3_599_000, "59 min"],
    [7_200_000, "2 h"],
    [86_400_000, "1 day"],
    [40 * 86_400_000, "40 days"],
  ];
  for (const [ms, text] of DURATIONS)
    test(`call ${ms} ms ${text}`, () => expect(formatDuration(ms)).toBe(text));

  test("call what is only just past just now", () => {
    expect(formatDistance(4_000)).toBe("just now");
    expect(formatDistance(-2_000)).toBe("just now");
    expect(formatDistance(61_000)).toBe("1 min ago");
    expect(formatDistance(-3 * 3_600_000)).toBe("in 3 h");
  });

  const SIZES: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [999, "999 B"],
    [1_500, "1.5 kB"],
    [812_345_678, "812 MB"],
    [2_000_000_000_000_000, "2000 TB"],
  ];
  for (const [bytes, text] of SIZES)
    test(`call ${bytes} bytes ${text}`, () => expect(formatSize(bytes)).toBe(text));

  const ACTORS: readonly (readonly [string, string])[] = [
    ["user:ann@default", "ann@default"],
    ["administrator:admin@*", "administrator admin@*"],
    ["vm:7", "the desktop itself"],
    ["node:box-1", "node box-1"],
    ["system:keeper", "keeper"],
    ["somebody", "somebody"],
  ];
  for (const [actor, text] of ACTORS)
    test(`call ${actor} ${text}`, () => expect(formatActor(actor)).toBe(text));

  test("make sentences of what verbs say", () => {
    expect(capitalize("a user ann exists already")).toBe("A user ann exists already.");
    expect(capitalize("Done!")).toBe("Done!");
  });
});

describe("the states", () => {
  test("are each in exactly one group, and each has words of its own", () => {
    const grouped = STATE_GROUPS.flatMap((group) => group.states as readonly string[]);
    expect(grouped.toSorted()).toEqual(Object.keys(VM_STATE_TEXTS).toSorted());
    const words = Object.values(VM_STATE_TEXTS).map((state) => state.text);
    expect(new Set(words).size).toBe(words.length);
  });

  test("of a group that there isn't are all", () => {
    expect(parseStateGroup("running")).toBe("running");
    expect(parseStateGroup("constructor")).toBeUndefined();
    expect(parseStateGroup(undefined)).toBeUndefined();
  });
});

describe("a way back", () => {
  const PATHS: readonly (readonly [string | undefined, string])[] = [
    ["/desktops?state=running", "/desktops?state=running"],
    [undefined, "/"],
    ["", "/"],
    ["desktops", "/"],
    ["//evil.test", "/"],
    ["/\\evil.test", "/"],
    ["https://evil.test", "/"],
    ["/a\r\nSet-Cookie: x", "/"],
  ];
  for (const [wanted, path] of PATHS) {
    test(`by ${JSON.stringify(wanted)} leads to ${path}`, () => expect(localPath(wanted, "/")).toBe(path));
  }
});
