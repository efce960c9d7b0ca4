import { expect, test } from "bun:test";
import { storableText } from "./storable-text.ts";

test.each([
  ["as it is", "é 😀\n", "é 😀\n"],
  ["without what is no letter", "a\u0000b", "ab"],
  ["with a sign for half a letter", "😀".slice(0, 1), "\ufffd"],
])("a text is stored %s", (_what, given, stored) => expect(storableText(given)).toBe(stored));
