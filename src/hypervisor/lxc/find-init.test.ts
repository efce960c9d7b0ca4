import { expect, test } from "bun:test";
import { isInit } from "./find-init.ts";

test.each([
  ["the desktop's first process", "Name:\tsh\nNSpid:\t4711\t1\n", true],
  ["another process of the desktop", "Name:\tsh\nNSpid:\t4712\t7\n", false],
  ["the first process of a container within the desktop", "NSpid:\t4713\t42\t1\n", false],
  ["a process of the host", "NSpid:\t1\n", false],
  ["a process that is gone", "", false],
])("%s is the one: %p", (_what, status, expected) => {
  expect(isInit(status)).toBe(expected);
});
