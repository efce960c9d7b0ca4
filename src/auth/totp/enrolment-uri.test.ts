import { expect, test } from "bun:test";
import { formatEnrolmentUri } from "./enrolment-uri.ts";

test("names site and person, whatever is in their name", () => {
  expect(formatEnrolmentUri({ login: "ann", tenant: "acme" }, "MZXW6")).toBe(
    "otpauth://totp/QVD%3Aann%40acme?secret=MZXW6&issuer=QVD&algorithm=SHA1&digits=6&period=30",
  );
  expect(formatEnrolmentUri({ login: "admin", tenant: "*" }, "MZXW6")).toStartWith(
    "otpauth://totp/QVD%3Aadmin?",
  );
  const odd = new URL(formatEnrolmentUri({ login: "a&secret=x?", tenant: "b" }, "MZXW6"));
  expect(odd.searchParams.getAll("secret")).toEqual(["MZXW6"]);
});
