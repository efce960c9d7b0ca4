import { expect, test } from "bun:test";
import { formatSharingFailure, parseSharingFailure } from "./sharing-failure.ts";

test("what the helper says is one line, and bounded", () => {
  const line = formatSharingFailure(`a\nb ${"c".repeat(1_000)}`);
  expect(line.split("\n")).toHaveLength(2);
  expect(parseSharingFailure(line.trimEnd())).toStartWith("a b c");
  expect(parseSharingFailure(`Qvd: sharing failed: ${"d".repeat(1_000)}`)).toHaveLength(300);
});

test("no other line of the log is meant", () => {
  for (const line of ["", "Info: New slave connection on channel ID#0", " Qvd: sharing failed: x"])
    expect(parseSharingFailure(line)).toBeUndefined();
});
