import { expect, test } from "bun:test";
import { VM_STATES } from "../vm/state.ts";
import { needsNewWish } from "./needs-new-wish.ts";

const running = { wish: "running", wishGeneration: 5 } as const;

test("a desktop that is wished stopped needs a wish", () => {
  expect(needsNewWish({ wish: "stopped", wishGeneration: 5, report: undefined })).toBe(true);
});

test("one that no node has looked at yet doesn't", () => {
  expect(needsNewWish({ ...running, report: undefined })).toBe(false);
  expect(needsNewWish({ ...running, report: { state: "stopped", generationSeen: 4 } })).toBe(false);
});

test("one that its node gave up does", () => {
  expect(needsNewWish({ ...running, report: { state: "stopped", generationSeen: 5 } })).toBe(true);
});

test.each(VM_STATES.filter((state) => state !== "stopped"))("one that is %s doesn't", (state) => {
  expect(needsNewWish({ ...running, report: { state, generationSeen: 5 } })).toBe(false);
});
