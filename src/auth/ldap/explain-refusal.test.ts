import { describe, expect, test } from "bun:test";
import { explainRefusal } from "./explain-refusal.ts";

const said = (code: string) =>
  `80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data ${code}, v1db1`;

describe("what a directory says of a bind that it refused", () => {
  test.each([
    ["52e", "the password is wrong"],
    ["52E", "the password is wrong"],
    ["533", "the account is disabled"],
    ["775", "the account is locked after too many wrong passwords"],
  ])("data %s means that %s", (code, reason) => {
    expect(explainRefusal(said(code))).toBe(`${reason} (${said(code)})`);
  });

  test.each([said("4dc"), "Invalid Credentials", "data of mine"])("%s is left as it is", (text) => {
    expect(explainRefusal(text)).toBe(text);
  });

  test("nothing is told as such", () => {
    expect(explainRefusal("")).toBe("the directory gave no reason");
  });
});
