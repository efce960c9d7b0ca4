import { describe, expect, test } from "bun:test";
import { HeadParser, type ParsedHead } from "./head-parser.ts";
import { HEAD_LIMITS } from "./limits.ts";

function parse(text: string, pieceBytes = text.length): ParsedHead[] {
  const parser = new HeadParser();
  const found: ParsedHead[] = [];
  const bytes = Buffer.from(text, "latin1");
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    let rest: Uint8Array = bytes.subarray(start, start + pieceBytes);
    while (rest.length > 0) {
      const parsed = parser.push(rest);
      if (parsed === undefined) break;
      found.push(parsed);
      if (parsed.kind === "fault") return found;
      rest = parsed.rest;
    }
  }
  return found;
}

function summary(parsed: ParsedHead | undefined): unknown {
  if (parsed === undefined) return "more";
  if (parsed.kind === "fault") return parsed.fault.status;
  const { method, path, query, headers } = parsed.head;
  return [method, path, Object.fromEntries(query), Object.fromEntries(headers)];
}

const AUTH = "Authorization: Basic YWxpY2U6c2VjcmV0";
const PERL_CONNECT = [
  "GET /qvd/connect_to_vm?qvd.client.link=adsl&id=1&qvd.client.keyboard=pc105%2Fes&qvd.client.fullscreen= HTTP/1.1",
  AUTH,
  "Connection: Upgrade",
  "Upgrade: QVD/1.0",
  "User-Agent: QVD::HTTPC/0.01 (linux)",
  "",
  "",
].join("\r\n");
const C_CONNECT = `GET /qvd/connect_to_vm?id=1&qvd.client.keyboard=pc105/en HTTP/1.1\n${AUTH}\nConnection: Upgrade\nUpgrade: QVD/1.0\n\n`;
const QT_CONNECT = `GET /qvd/connect_to_vm?id=1&qvd.client.nxagent.extra_args=-a -b&x=1 HTTP/1.1\n${AUTH}\nUser-Agent: QVDClient Qt/0.01 (Linux)\n\n`;
const auth = { authorization: "Basic YWxpY2U6c2VjcmV0" };
const upgrade = { connection: "Upgrade", upgrade: "QVD/1.0" };

describe("the dialect of the real clients", () => {
  const cases: [name: string, text: string, expected: unknown][] = [
    ["ping with CRLF", "GET /qvd/ping HTTP/1.1\r\n\r\n", ["GET", "/qvd/ping", {}, {}]],
    ["ping with bare LF", "GET /qvd/ping HTTP/1.1\n\n", ["GET", "/qvd/ping", {}, {}]],
    ["an empty query", "GET /qvd/list_of_vm? HTTP/1.1\r\n\r\n", ["GET", "/qvd/list_of_vm", {}, {}]],
    [
      "Perl's connect",
      PERL_CONNECT,
      [
        "GET",
        "/qvd/connect_to_vm",
        {
          "qvd.client.link": "adsl",
          id: "1",
          "qvd.client.keyboard": "pc105/es",
          "qvd.client.fullscreen": "",
        },
        { ...auth, ...upgrade, "user-agent": "QVD::HTTPC/0.01 (linux)" },
      ],
    ],
    [
      "the C library's connect",
      C_CONNECT,
      ["GET", "/qvd/connect_to_vm", { id: "1", "qvd.client.keyboard": "pc105/en" }, { ...auth, ...upgrade }],
    ],
    [
      "Qt's spaces in the target",
      QT_CONNECT,
      [
        "GET",
        "/qvd/connect_to_vm",
        { id: "1", "qvd.client.nxagent.extra_args": "-a -b", x: "1" },
        { ...auth, "user-agent": "QVDClient Qt/0.01 (Linux)" },
      ],
    ],
    [
      "an absolute target",
      "GET https://localhost:8443/qvd/ping?a=1 HTTP/1.1\n\n",
      ["GET", "/qvd/ping", { a: "1" }, {}],
    ],
    ["empty lines first", "\r\n\n \r\nGET /qvd/ping HTTP/1.1\n\n", ["GET", "/qvd/ping", {}, {}]],
    ["mixed line ends", "GET /qvd/ping HTTP/1.1\r\nA: b\n\r\n", ["GET", "/qvd/ping", {}, { a: "b" }]],
    [
      "a continuation line",
      "GET /x HTTP/1.1\r\nA: b\r\n  c \r\n\td\r\n\r\n",
      ["GET", "/x", {}, { a: "b c d" }],
    ],
    [
      "names in any case and blanks round the colon",
      "GET /x HTTP/1.1\nAUTHorization \t:  v \n\n",
      ["GET", "/x", {}, { authorization: "v" }],
    ],
    ["the last of equal headers", "GET /x HTTP/1.1\nA: 1\na: 2\n\n", ["GET", "/x", {}, { a: "2" }]],
    ["other methods, as written", "get /qvd/ping HTTP/1.1\n\n", ["get", "/qvd/ping", {}, {}]],
    [
      "an announced body of none",
      "GET /x HTTP/1.1\nContent-Length: 0\n\n",
      ["GET", "/x", {}, { "content-length": "0" }],
    ],
    ["no blank before the version", "GET /xHTTP/1.1\n\n", ["GET", "/x", {}, {}]],
  ];
  for (const [name, text, expected] of cases) {
    for (const pieceBytes of [text.length, 1, 7]) {
      test(`takes ${name} in pieces of ${pieceBytes}`, () => {
        expect(parse(text, pieceBytes).map(summary)).toEqual([expected]);
      });
    }
  }

  test("takes requests that were sent together, in order, and hands on what follows", () => {
    const found = parse("GET /a HTTP/1.1\n\nGET /b HTTP/1.1\r\n\r\nNXPROXY");
    expect(found.map(summary)).toEqual([
      ["GET", "/a", {}, {}],
      ["GET", "/b", {}, {}],
    ]);
    const last = found.at(-1);
    expect(last?.kind === "head" && Buffer.from(last.rest).toString()).toBe("NXPROXY");
  });
});

describe("what is refused", () => {
  const long = "x".repeat(HEAD_LIMITS.lineBytes);
  const cases: [name: string, text: string, status: number][] = [
    ["HTTP/1.0", "GET /qvd/ping HTTP/1.0\r\n\r\n", 505],
    ["no version", "GET /qvd/ping\r\n\r\n", 505],
    ["a version in lower case", "GET /qvd/ping http/1.1\r\n\r\n", 505],
    ["one word", "garbage\r\n\r\n", 400],
    ["a missing target", "GET HTTP/1.1\r\n\r\n", 400],
    ["a method that is no word", "G(T /x HTTP/1.1\r\n\r\n", 400],
    ["a line that is no header", "GET /x HTTP/1.1\r\nfoo bar\r\n\r\n", 400],
    ["a header without a name", "GET /x HTTP/1.1\r\n: v\r\n\r\n", 400],
    ["a continuation of nothing", "GET /x HTTP/1.1\r\n v\r\n\r\n", 400],
    ["a NUL", "GET /x\0 HTTP/1.1\r\n\r\n", 400],
    ["a CR within a line", "GET /x HTTP/1.1\r\nA: b\rc\r\n\r\n", 400],
    ["a body", "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400],
    ["a chunked body", "GET /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    ["a negative length", "GET /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400],
    ["two lengths of which one is a body", "GET /x HTTP/1.1\nContent-Length: 3\nContent-Length: 0\n\n", 400],
    ["an endless request line", `GET /${long}`, 414],
    ["an endless header line", `GET /x HTTP/1.1\r\nA: ${long}`, 431],
    ["headers without end", `GET /x HTTP/1.1\r\n${"A: b\r\n".repeat(10_000)}`, 431],
    ["a long head of few lines", `GET /x HTTP/1.1\r\n${`A: ${"y".repeat(8000)}\r\n`.repeat(5)}`, 431],
    ["empty lines without end", "\r\n".repeat(HEAD_LIMITS.headBytes), 431],
    ["a TLS hello in clear", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400],
  ];
  for (const [name, text, status] of cases) {
    test(`refuses ${name} with ${status}, however it is cut`, () => {
      expect(summary(parse(text).at(-1))).toBe(status);
      expect(summary(parse(text, 1).at(-1))).toBe(status);
      expect(summary(parse(text, 13).at(-1))).toBe(status);
    });
  }

  test("reads nothing more after a fault", () => {
    const parser = new HeadParser();
    expect(parser.push(Buffer.from("garbage\n"))?.kind).toBe("fault");
    expect(parser.push(Buffer.from("GET /qvd/ping HTTP/1.1\n\n"))).toBeUndefined();
  });
});
