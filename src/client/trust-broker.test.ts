import { describe, expect, test } from "bun:test";
import { decideTrust, isFingerprint } from "./trust-broker.ts";

const SHOWN = { fingerprint: "AB:CD:01", distrust: "nobody vouches" };

describe("a broker's certificate", () => {
  test("that an authority vouches for is believed, whatever was pinned", () => {
    expect(decideTrust({ ...SHOWN, distrust: undefined }, "00:11:22")).toEqual({ kind: "trusted" });
  });
  test("that nobody vouches for is a person's to judge at first", () => {
    expect(decideTrust(SHOWN, undefined)).toEqual({ kind: "ask", why: "nobody vouches" });
  });
  test("that was accepted once is believed again", () => {
    expect(decideTrust(SHOWN, "ab:cd:01")).toEqual({ kind: "trusted" });
  });
  test("that is another than the accepted one is refused, and both are told", () => {
    expect(decideTrust(SHOWN, "00:11:22")).toEqual({ kind: "changed", pinned: "00:11:22" });
  });
  test("is the one of a fingerprint whatever its spelling", () => {
    expect(isFingerprint("abcd01 ", "AB:CD:01")).toBe(true);
    expect(isFingerprint("abcd", "AB:CD:01")).toBe(false);
  });
});
