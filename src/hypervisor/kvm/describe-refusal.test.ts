import { describe, expect, test } from "bun:test";
import { describeRefusal } from "./describe-refusal.ts";

describe("a QEMU that did not come up", () => {
  test("is told by its last lines, and where all of them are", () => {
    expect(describeRefusal("a\nb\nc\nd", "/logs/x.log")).toBe(
      "QEMU refused: b; c; d. All of it is in /logs/x.log.",
    );
  });

  test("gave no reason where it said nothing", () => {
    expect(describeRefusal("", "/logs/x.log")).toContain("it gave no reason");
  });

  test("may not be there at all, which has a cure", () => {
    const said = "setpriv: failed to execute /usr/bin/qemu-system-x86_64: No such file or directory";
    expect(describeRefusal(said, "/logs/x.log")).toMatch(/^this box has no QEMU\. Install qemu-system-x86/);
  });
});
