import { describe, expect, test } from "bun:test";
import { WRONG_FIRST_CODE } from "./second-factor.tsx";
import { stepAfterFirstCode, stepOfSetUp } from "./set-up-on-the-way.ts";

const SET_UP = { secret: "ABCD", uri: "otpauth://totp/x?secret=ABCD", ticket: "t" };
const FIELDS = { "set-up": "t", "set-up-uri": SET_UP.uri };

describe("a second factor that is set up on the way in", () => {
  test("is shown where auth has begun one, else why not", () => {
    expect(stepOfSetUp({ outcome: "enrolment-begun", ...SET_UP }, "no")).toEqual({
      kind: "set-up",
      setUp: SET_UP,
    });
    expect(stepOfSetUp({ outcome: "denied" }, "no")).toEqual({ kind: "password", text: "no" });
    expect(stepOfSetUp({ outcome: "busy", text: "later" }, "no")).toEqual({
      kind: "password",
      text: "later",
    });
  });

  test("is shown again after a wrong code, and only then", () => {
    const again = { kind: "set-up", setUp: SET_UP, text: WRONG_FIRST_CODE } as const;
    expect(stepAfterFirstCode({ outcome: "denied" }, FIELDS, "no")).toEqual(again);
    expect(stepAfterFirstCode({ outcome: "denied" }, {}, "no")).toEqual({ kind: "password", text: "no" });
    expect(stepAfterFirstCode({ outcome: "unavailable", text: "away" }, FIELDS, "no")).toEqual({
      kind: "password",
      text: "away",
    });
  });
});
