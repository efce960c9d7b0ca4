import { expect, test } from "bun:test";
import { parseCoreList, readAllowedCores } from "./allowed-cores.ts";

test.each([
  ["0", [0]],
  ["0-3", [0, 1, 2, 3]],
  ["0-1,4,6-7\n", [0, 1, 4, 6, 7]],
] as const)("reads the list %s", (text, cores) => {
  expect(parseCoreList(text)).toEqual([...cores]);
});

test("a process may use at least one of them", () => {
  expect(readAllowedCores().length).toBeGreaterThan(0);
});
