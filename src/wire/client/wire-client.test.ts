import { describe, expect, test } from "bun:test";
import { formatAnswer, formatProgress, formatSwitching } from "./answer.ts";
import { parseCredentials } from "./credentials.ts";
import { formatJson } from "./json.ts";
import { parseQuery } from "./query.ts";

const basic = (text: string, encoding: BufferEncoding = "utf8") =>
  `Basic ${Buffer.from(text, encoding).toString("base64")}`;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("queries", () => {
  const cases: [query: string, expected: Record<string, string>][] = [
    ["", {}],
    ["id=1&id=2", { id: "2" }],
    ["a+b=c+d", { "a b": "c d" }],
    ["k=pc105%2Fes", { k: "pc105/es" }],
    ["k=pc105/es&&x", { k: "pc105/es", x: "" }],
    ["a=b=c", { a: "b=c" }],
    ["a=%zz%4", { a: "%zz%4" }],
    ["a=%ff", { a: "\u00ff" }],
    ["__proto__=1", JSON.parse('{"__proto__":"1"}')],
  ];
  for (const [query, expected] of cases)
    test(`decodes ${query || "nothing"}`, () =>
      expect([...parseQuery(query)]).toEqual(Object.entries(expected)));
});

describe("credentials", () => {
  test("takes login and password at the first colon, with and without padding", () => {
    expect(parseCredentials("Basic YWxpY2U6c2VjcmV0")).toEqual({
      kind: "password",
      login: "alice",
      password: "secret",
    });
    expect(parseCredentials(basic("a:b:c"))).toEqual({ kind: "password", login: "a", password: "b:c" });
    expect(parseCredentials(basic("a:bc").replaceAll("=", ""))).toMatchObject({ password: "bc" });
    expect(parseCredentials("bAsIc \t YWxpY2U6")).toMatchObject({ login: "alice", password: "" });
  });
  test("takes UTF-8, and Latin-1 where it is not UTF-8", () => {
    expect(parseCredentials(basic("ñ:é"))).toMatchObject({ login: "ñ", password: "é" });
    expect(parseCredentials(basic("ñ:é", "latin1"))).toMatchObject({ login: "ñ", password: "é" });
  });
  test("takes a token", () => {
    expect(parseCredentials("Bearer dG9rMTIz")).toEqual({ kind: "token", token: "tok123" });
  });
  const none = [
    undefined,
    "",
    "Basic",
    "Basic !!!",
    basic("nocolon"),
    basic(":nologin"),
    "Digest abc",
    `Basic ${"A".repeat(5000)}`,
  ];
  for (const value of none)
    test(`finds none in ${String(value).slice(0, 30)}`, () =>
      expect(parseCredentials(value)).toBeUndefined());
});

describe("answers", () => {
  test("are framed as traced", () => {
    const ping = formatAnswer({ status: 200, body: "I am alive!\r\n" });
    expect(text(ping.head)).toBe("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n");
    expect(text(ping.body)).toBe("I am alive!\r\n");
  });
  test("carry the challenge before type and length", () => {
    expect(text(formatAnswer({ status: 401 }).head)).toMatch(
      /^HTTP\/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="QVD"\r\nContent-Type: text\/plain\r\nContent-Length: [1-9]\d*\r\n\r\n$/,
    );
  });
  test("never have an empty body, and count bytes", () => {
    for (const status of [404, 426, 505] as const)
      expect(formatAnswer({ status, body: "" }).body.length).toBeGreaterThan(20);
    expect(text(formatAnswer({ status: 503, body: "é" }).head)).toContain("Content-Length: 2\r\n");
  });
  test("tell progress and the switch in one piece, and let no text forge a header", () => {
    expect(text(formatProgress("Session acquired for VM_ID: 1"))).toBe(
      "HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: Session acquired for VM_ID: 1\r\n\r\n",
    );
    expect(text(formatProgress("a\r\nb: c"))).toBe(
      "HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: a b: c\r\n\r\n",
    );
    expect(text(formatSwitching("k".repeat(64)))).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key: ${"k".repeat(64)}\r\n\r\n`,
    );
  });
  test("write JSON as the original did", () => {
    expect(formatJson([])).toBe("[]\n");
    expect(formatJson({})).toBe("{}\n");
    expect(formatJson([{ id: 1, name: 'a/"ñ', blocked: 0 }])).toBe(
      '[\n   {\n      "id" : 1,\n      "name" : "a/\\"\\u00f1",\n      "blocked" : 0\n   }\n]\n',
    );
  });
});
