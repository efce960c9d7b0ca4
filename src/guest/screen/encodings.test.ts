import { describe, expect, test } from "bun:test";
import { formatEncodings, parseEncodings, planServerEncodings, readWishes } from "./encodings.ts";

/** What noVNC asks for, the least of its quality levels left out. */
const NOVNC = [
  1, 7, -260, 16, 21, 5, 2, 6, 0, -26, -254, -223, -224, -258, -261, -308, -309, -312, -313, -307,
];

test("a viewer's wishes are read off its encodings", () => {
  expect(readWishes(NOVNC)).toEqual({
    hasCopyRect: true,
    hasTight: true,
    hasFence: true,
    hasContinuousUpdates: true,
    photoQuality: 82,
  });
  expect(readWishes([0])).toMatchObject({ hasCopyRect: false, hasTight: false, photoQuality: undefined });
});

test("the server is asked for raw pixels and for what is no picture, of which it is nobody's to pace", () => {
  const asked = planServerEncodings(NOVNC);
  expect(asked).toEqual([0, -223, -258, -261, -308, -309, -307]);
  const most = Array.from({ length: 0xffff }, () => -239);
  expect(planServerEncodings(most)).toEqual([0, -239]);
});

describe("a message of encodings", () => {
  test.each([[[]], [[0]], [NOVNC]])("says %p", (encodings) => {
    expect(parseEncodings(formatEncodings(encodings))).toEqual(encodings);
  });
});
