import { describe, expect, test } from "bun:test";
import type { Beat } from "../support/beating-desktop.ts";
import { checkBeats, type DesktopRecord, type Violation, type Witness } from "./check-beats.ts";

const beat = (life: string, number: number, atMs: number, found?: string): Beat => ({
  life,
  number,
  atMs,
  found,
});
const WELL: readonly Beat[] = [
  beat("a", 1, 100, "none:0"),
  beat("a", 2, 300),
  beat("b", 1, 900, "a:2"),
  beat("b", 2, 1100),
];
const judge = (beats: readonly Beat[], witnesses: readonly Witness[] = []) => {
  const record: DesktopRecord = { desktop: "d", beats, witnesses };
  return checkBeats(record).map(({ kind }) => kind);
};

describe("the record of a desktop", () => {
  const cases: readonly [
    rule: string,
    kinds: Violation["kind"][],
    beats: readonly Beat[],
    witnesses?: Witness[],
  ][] = [
    ["that lived twice, one after the other, is well", [], WELL],
    ["whose sync failed once and was repeated is well", [], [...WELL, beat("b", 2, 1200)]],
    [
      "of two lives at a time tells of the overlap",
      ["overlap"],
      WELL.map((one) => (one.life === "b" ? { ...one, atMs: one.atMs - 700 } : one)),
    ],
    [
      "of a life that was seen after its successor began tells of the overlap",
      ["overlap"],
      WELL,
      [{ life: "a", number: 2, atMs: 1000 }],
    ],
    [
      "without a line that was acknowledged tells of the loss",
      ["lost-write"],
      WELL,
      [{ life: "b", number: 3, atMs: 1300 }],
    ],
    [
      "without a whole life that was acknowledged tells of the loss",
      ["lost-write"],
      WELL,
      [{ life: "c", number: 1, atMs: 1300 }],
    ],
    [
      "with a gap tells of the loss and of the chain",
      ["lost-write", "broken-chain"],
      [...WELL, beat("b", 4, 1500)],
    ],
    [
      "that began from an older home tells of the chain",
      ["broken-chain"],
      [...WELL.slice(0, 2), beat("b", 1, 900, "a:1")],
    ],
    [
      "that two lives wrote in turns tells of both",
      ["overlap", "broken-chain"],
      [...WELL, beat("a", 3, 1200)],
    ],
  ];
  for (const [rule, kinds, beats, witnesses] of cases)
    test(rule, () => expect(judge(beats, witnesses)).toEqual(kinds));
});
