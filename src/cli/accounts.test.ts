import { describe, expect, test } from "bun:test";
import { readAccount, readGroupId } from "./accounts.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nqvd-db:x:993:992::/nonexistent:/usr/sbin/nologin\n";

describe("system accounts", () => {
  test("are read from the passwd file", () => {
    expect(readAccount("qvd-db", PASSWD)).toEqual({ uid: 993, gid: 992 });
  });

  test("that are missing are a sentence with the cure", () => {
    expect(() => readAccount("qvd-auth", PASSWD)).toThrow(/account qvd-auth .*script\/bootstrap/);
    expect(() => readGroupId("qvd", "root:x:0:\n")).toThrow(/group qvd .*script\/bootstrap/);
  });

  test("have groups by name, not by its beginning", () => {
    expect(readGroupId("qvd", "qvd-tls:x:5:\nqvd:x:6:a,b\n")).toBe(6);
  });
});
