import { expect, test } from "bun:test";
import { setPageHeaders } from "./page-headers.ts";

const RULES = { images: "'self' blob:", forms: "'self'", permissions: "camera=()" };

test("a page loads from itself alone, and is kept by nobody", () => {
  const headers = new Headers();
  setPageHeaders(headers, RULES);
  const policy = headers.get("Content-Security-Policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "img-src 'self' blob:",
    "frame-ancestors 'none'",
  ])
    expect(policy).toContain(part);
  expect(policy).not.toContain("unsafe");
  expect(headers.get("Cache-Control")).toBe("no-store");
});

test("what may be kept stays so", () => {
  const headers = new Headers({ "Cache-Control": "immutable" });
  setPageHeaders(headers, RULES);
  expect(headers.get("Cache-Control")).toBe("immutable");
});
