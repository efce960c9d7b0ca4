import { expect, test } from "bun:test";
import { type Deletable, whyNotDeleted } from "./why-not-deleted.ts";

const CASES: readonly (readonly [Deletable["wish"], Deletable["state"], string | undefined])[] = [
  ["stopped", "stopped", undefined],
  ["stopped", "stopping_1", "is still going down; delete it once it is stopped"],
  ["stopped", "running", "is still going down; delete it once it is stopped"],
  ["running", "running", "is not stopped; stop it first, then delete it"],
  ["running", "starting_1", "is not stopped; stop it first, then delete it"],
  ["running", "stopped", "is stopped, but somebody wants it to run; stop it first, then delete it"],
];

test.each(CASES)("a desktop that is wished %s and is %s: %p", (wish, state, expected) => {
  expect(whyNotDeleted({ wish, state })).toBe(expected);
});
