import { describe, expect, test } from "bun:test";
import { addCounts, excerptFailures, NO_COUNTS, parseJunit, renderCounts } from "./report.ts";

const XML = `<?xml version="1.0"?>
<testsuites name="bun test" tests="4" failures="1" skipped="1">
  <testsuite name="a.test.ts" tests="4" failures="1" skipped="1">
    <testsuite name="inner" tests="2" failures="1">
      <testcase name="holds" classname="inner" time="0.1" />
      <testcase name="breaks" classname="inner" time="0.1"><failure type="AssertionError" /></testcase>
    </testsuite>
    <testcase name="is &quot;left&quot; out" classname=""><skipped /></testcase>
    <testcase name="holds too" time="0.1"></testcase>
  </testsuite>
</testsuites>`;

describe("the report of a test run", () => {
  test("counts test cases once, however suites are nested", () => {
    expect(parseJunit(XML).counts).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });

  test("names what was skipped", () => {
    expect(parseJunit(XML).skipped).toEqual(['is "left" out']);
  });

  test("names what failed", () => {
    expect(parseJunit(XML).failed).toEqual(["inner > breaks"]);
  });

  test("keeps what a failed test printed, and nothing of the others", () => {
    const output = "a\n(pass) one [1ms]\nerror: no\n  at x\n(fail) two [2ms]\nb\n(pass) three";
    expect(excerptFailures(output)).toEqual(["error: no\n  at x\n(fail) two [2ms]"]);
    expect(excerptFailures(output, 1)).toEqual(["  at x\n(fail) two [2ms]"]);
  });

  test("keeps the end of an output that names no failed test", () => {
    expect(excerptFailures("one\nsegmentation fault\n", 2)).toEqual(["segmentation fault\n"]);
  });

  test("ends in the words that programs look for", () => {
    expect(renderCounts({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(renderCounts({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
    expect(addCounts(NO_COUNTS, { passed: 1, failed: 2, skipped: 3 })).toEqual({
      passed: 1,
      failed: 2,
      skipped: 3,
    });
  });
});
