import { describe, expect, test } from "bun:test";
import { reachableDatabase } from "./invite.ts";

describe("the database that a new box is told", () => {
  test("is the one that this box uses", () => {
    expect(reachableDatabase("postgres://o:p@db.example:5433/qvd", undefined)).toBe(
      "postgres://o:p@db.example:5433/qvd",
    );
  });

  test("is called as the new box must call it", () => {
    expect(reachableDatabase("postgres://o:p@localhost/qvd", "10.0.0.9")).toBe("postgres://o:p@10.0.0.9/qvd");
    expect(reachableDatabase("postgres://o:p@localhost/qvd", "fd00::9")).toBe("postgres://o:p@[fd00::9]/qvd");
  });

  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
    test(`can't be ${host}, which is another one from there`, () => {
      expect(() => reachableDatabase(`postgres://o:p@${host}/qvd`, undefined)).toThrow("--database-host");
    });

  test("can't be the embedded one, and the advice says what to do", () => {
    expect(() => reachableDatabase("", undefined)).toThrow("Move it to a PostgreSQL that both can reach");
  });
});
