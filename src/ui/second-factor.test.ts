import { expect, test } from "bun:test";
import { readSetUp } from "./second-factor.tsx";

const uri = "otpauth://totp/QVD:ann?secret=CAL6MUNU&issuer=QVD";

test("a set-up comes back with the form it was shown in", () => {
  expect(readSetUp({ "set-up": "ticket", "set-up-uri": uri, code: "000000" })).toEqual({
    secret: "CAL6MUNU",
    uri,
    ticket: "ticket",
  });
});

for (const [what, fields] of Object.entries({
  "without a ticket": { "set-up-uri": uri },
  "without an address": { "set-up": "ticket" },
  "with a file for an address": { "set-up": "ticket", "set-up-uri": new Blob() },
  "with an address of another kind": { "set-up": "ticket", "set-up-uri": "https://example.org/?secret=A" },
  "without a secret": { "set-up": "ticket", "set-up-uri": "otpauth://totp/QVD:ann" },
  "longer than can be drawn": { "set-up": "ticket", "set-up-uri": `${uri}&x=${"y".repeat(500)}` },
}))
  test(`a form ${what} is no set-up`, () => expect(readSetUp(fields)).toBeUndefined());
