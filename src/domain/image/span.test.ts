import { expect, test } from "bun:test";
import { formatSeconds, parseSpan } from "./span.ts";

test("a span is read in the units that people type", () => {
  const spans: readonly (readonly [string, number | null | undefined])[] = [
    ["0", 0],
    ["90", 90],
    [" 15M ", 900],
    ["15 min", 900],
    ["2h", 7200],
    ["3d", 259_200],
    ["never", null],
    ["", null],
    ["soon", undefined],
    ["-5", undefined],
    ["1.5h", undefined],
  ];
  for (const [text, seconds] of spans) expect([text, parseSpan(text)]).toEqual([text, seconds]);
});

test("what is shown is read as the same", () => {
  for (const seconds of [null, 0, 1, 59, 60, 61, 3600, 5400, 86_400, 31_536_000])
    expect(parseSpan(formatSeconds(seconds))).toBe(seconds);
});
