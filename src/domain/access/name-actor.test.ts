import { expect, test } from "bun:test";
import { nameActor } from "./name-actor.ts";

test.each([
  ["user:ann@acme", "ann@acme"],
  ["administrator:root@*", "administrator root"],
  ["administrator:eve@acme", "administrator eve@acme"],
  ["vm:12", "the desktop itself"],
  ["node:box1", "node box1"],
  ["system:broker", "the system (broker)"],
  ["system:node:x", "the system (node:x)"],
  ["somebody", "somebody"],
  ["odd:one", "odd:one"],
  [":", ":"],
])("%s reads %j", (written, words) => {
  expect(nameActor(written)).toBe(words);
});
