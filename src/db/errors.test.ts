import { describe, expect, test } from "bun:test";
import { AppError, isAppError } from "../lib/errors.ts";
import {
  attemptDatabase,
  brokenConstraint,
  describeDatabaseError,
  isContended,
  isDatabaseAway,
} from "./errors.ts";

const withCode = (code: string, more: object = {}) => Object.assign(new Error("x"), { code, ...more });
const wrapped = (cause: unknown) => new Error("Failed query", { cause });

describe("a database that is away", () => {
  test.each(["ECONNREFUSED", "ENOENT", "CONNECTION_CLOSED", "CONNECT_TIMEOUT", "57P01", "57P03", "53300"])(
    "is known by %s, also when drizzle wraps it",
    (code) => {
      expect(isDatabaseAway(withCode(code))).toBe(true);
      const told = describeDatabaseError("list desktops", wrapped(withCode(code)));
      expect(isAppError(told) && told.code).toBe("database-away");
      expect(String(told)).toContain("list desktops: ");
    },
  );

  test.each([withCode("23505"), new Error("x"), undefined, null, "text"])("is not seen in %p", (error) => {
    expect(isDatabaseAway(error)).toBe(false);
    expect(describeDatabaseError("x", error)).toBe(error);
  });

  test("is not looked for without end in causes that go round", () => {
    const ring = new Error("x");
    ring.cause = ring;
    expect(isDatabaseAway(ring)).toBe(false);
  });
});

test("an error of ours stays as it is", async () => {
  const ours = new AppError("not-found", "there is none");
  await expect(attemptDatabase("x", () => Promise.reject(ours))).rejects.toBe(ours);
});

test("a deadlock or a lock that doesn't come asks to try again", () => {
  for (const code of ["40P01", "55P03", "40001"]) {
    expect(isContended(wrapped(withCode(code)))).toBe(true);
    const told = describeDatabaseError("change", withCode(code));
    expect(isAppError(told) && told.code).toBe("unavailable");
  }
});

test("a broken constraint is named", () => {
  expect(brokenConstraint(wrapped(withCode("23505", { constraint_name: "vms_address_key" })))).toBe(
    "vms_address_key",
  );
  expect(brokenConstraint(wrapped(withCode("23503", { constraint_name: "vms_user_id_fkey" })))).toBe(
    "vms_user_id_fkey",
  );
  expect(brokenConstraint(withCode("42501", { constraint_name: "x" }))).toBeUndefined();
});

test("a server that doesn't answer counts as away", async () => {
  const attempt = attemptDatabase("list desktops", () => new Promise<never>(() => undefined), 10);
  await expect(attempt).rejects.toMatchObject({ code: "database-away" });
});
