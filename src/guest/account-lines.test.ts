import { describe, expect, test } from "bun:test";
import { accountLines } from "./account-lines.ts";

const anna = { login: "anna.b", uid: 2001, fullName: "Anna Björk", home: "/home/anna.b", shell: "/bin/bash" };

describe("the lines of an account", () => {
  test("have the fields that the system's programs read", () => {
    expect(accountLines(anna)).toEqual({
      passwd: "anna.b:x:2001:2001:Anna Björk:/home/anna.b:/bin/bash",
      shadow: "anna.b:!::0:99999:7:::",
      group: "anna.b:x:2001:",
      gshadow: "anna.b:!::",
    });
  });

  test.each([
    ["a colon", "Anna:0:0"],
    ["a comma", "Anna, Björk"],
    ["a line break", "Anna\nroot::0:0::/:/bin/sh"],
    ["a carriage return", "Anna\rB"],
    ["a control character", "Anna\u0085\u0007B"],
    ["the end of a C string", "Anna\0B"],
  ])("are one line of seven fields with %s in the person's name", (_what, fullName) => {
    const { passwd } = accountLines({ ...anna, fullName });
    expect(passwd.split(":")).toHaveLength(7);
    expect(passwd).not.toMatch(/[\p{Cc},]/u);
  });

  test("hold a very long name to a bound", () => {
    const { passwd } = accountLines({ ...anna, fullName: "n".repeat(5000) });
    expect(passwd.split(":")[4]).toHaveLength(100);
  });
});
