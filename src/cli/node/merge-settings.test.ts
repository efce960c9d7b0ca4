import { expect, test } from "bun:test";
import { mergeSettings } from "./merge-settings.ts";

test("settings are replaced where they stand, and added at the end where they don't", () => {
  const before = "# My box\nQVD_STATE=/srv/qvd\n  QVD_NODE_NAME = old\nQVD_NODE_NAME=older\n#QVD_SHARED=\n";
  expect(mergeSettings(before, { QVD_NODE_NAME: "box2", QVD_SHARED: "/net" })).toBe(
    "# My box\nQVD_STATE=/srv/qvd\nQVD_NODE_NAME=box2\n#QVD_SHARED=\nQVD_SHARED=/net\n",
  );
});

test("a file that isn't there yet begins with them", () => {
  expect(mergeSettings("", { QVD_A: "1", QVD_B: "2" })).toBe("QVD_A=1\nQVD_B=2\n");
});

test("a file without a last line's end gets one", () => {
  expect(mergeSettings("QVD_A=1", { QVD_B: "2" })).toBe("QVD_A=1\nQVD_B=2\n");
});
