import { expect, test } from "bun:test";
import { parseKeyboard } from "./read-keyboard.ts";

test.each([
  ["of one layout", "rules:      evdev\nmodel:      pc105\nlayout:     es\n", "pc105/es"],
  ["of several, the first", "model:      pc104\nlayout:     pt,us\nvariant:    ,intl\n", "pc105/pt"],
  ["that has none", "rules:      base\n", ""],
  ["that says nothing", "", ""],
])("the keyboard of a display %s", (_what, said, expected) => {
  expect(parseKeyboard(said)).toBe(expected);
});
