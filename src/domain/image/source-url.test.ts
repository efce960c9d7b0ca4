import { describe, expect, test } from "bun:test";
import { fileNameOf, hostOf, parseSourceUrl } from "./source-url.ts";

function parsed(text: string, base?: string): string | undefined {
  return parseSourceUrl(text, base === undefined ? undefined : new URL(base)).fault;
}

describe("an address to fetch an image from", () => {
  test.each([
    ["file:///etc/shadow", /begin with https/],
    ["ftp://example.org/x.tar", /begin with https/],
    ["gopher://example.org/x", /begin with https/],
    ["data:application/x-tar,abc", /begin with https/],
    ["example.org/x.tar", /must be an address|begin with/],
    ["https://", /must be an address/],
    ["", /must be an address/],
    ["https://ada:secret@example.org/x.tar", /login or password/],
    ["https://ada@example.org/x.tar", /login or password/],
    [`https://example.org/${"x".repeat(3000)}`, /at most 2000/],
  ])("is refused: %s", (text, fault) => {
    expect(parsed(text.slice(0, 2_500))).toMatch(fault);
  });

  test.each(["https://example.org/x.tar", "http://example.org:8080/a/b?c=d"])("may be %s", (text) => {
    expect(parsed(text)).toBeUndefined();
  });

  test("may be redirected within its server, not to a file", () => {
    expect(parsed("/other.tar", "https://example.org/x.tar")).toBeUndefined();
    expect(parsed("file:///etc/passwd", "https://example.org/x.tar")).toMatch(/begin with/);
  });

  test("loses its fragment, which no server sees", () => {
    const { url } = parseSourceUrl("https://example.org/x.tar#top") as { url: URL };
    expect(url.href).toBe("https://example.org/x.tar");
  });
});

test.each([
  ["http://0x7f.1/x", "127.0.0.1", true],
  ["http://2130706433/x", "127.0.0.1", true],
  ["http://[::1]:80/x", "::1", true],
  ["http://EXAMPLE.org/x", "example.org", false],
])("the host of %s is %s", (text, host, isAddress) => {
  expect(hostOf(new URL(text))).toEqual({ host, isAddress });
});

test.each([
  ["https://x.org/images/office-8.tar.zst?sig=1", "office-8.tar.zst"],
  ["https://x.org/", "image"],
  ["https://x.org/..%2f..%2fetc", "2f..-etc"],
  ["https://x.org/.hidden", "hidden"],
  ["https://x.org/a%20b.tar", "a-b.tar"],
])("the file from %s is named %s", (text, name) => {
  const made = fileNameOf(new URL(text));
  expect(made).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
  if (!text.includes("..")) expect(made).toBe(name);
});
