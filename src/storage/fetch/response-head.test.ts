import { describe, expect, test } from "bun:test";
import {
  extentOf,
  MOST_HEAD_BYTES,
  parseResponseHead,
  type ResponseHead,
  validatorOf,
} from "./response-head.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

function head(text: string): ResponseHead {
  const parsed = parseResponseHead(bytes(text));
  if (parsed.state !== "whole") throw new Error(`it is ${parsed.state}`);
  return parsed.head;
}

describe("the head of an answer", () => {
  test("is whole at its empty line, wherever it was cut", () => {
    const text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (let length = 0; length < 38; length++)
      expect(parseResponseHead(bytes(text.slice(0, length))).state).toBe("more");
    expect(parseResponseHead(bytes(text))).toMatchObject({ state: "whole", bodyAt: 38 });
  });

  test("comes after interim answers", () => {
    expect(head("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 404 No\r\nA: b\r\n\r\n").status).toBe(404);
  });

  test.each([
    ["another protocol", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["no number", "HTTP/1.1 OK\r\n\r\n"],
    ["endless", "x".repeat(MOST_HEAD_BYTES)],
    ["interim for ever", "HTTP/1.1 100 Continue\r\n\r\n".repeat(50)],
  ])("is bad: %s", (_what, text) => {
    expect(parseResponseHead(bytes(text)).state).toBe("bad");
  });

  test("counts the first of a repeated header, in any case", () => {
    expect(head('HTTP/1.1 200 OK\r\nETAG: "a"\r\netag: "b"\r\n\r\n').headers.get("etag")).toBe('"a"');
  });
});

test.each([
  ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", { fromByte: 0, totalBytes: 5 }],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", { fromByte: 0, totalBytes: undefined }],
  ["HTTP/1.1 206 Part\r\nContent-Range: bytes 100-199/200\r\n\r\n", { fromByte: 100, totalBytes: 200 }],
  ["HTTP/1.1 206 Part\r\nContent-Range: bytes 100-199/*\r\n\r\n", { fromByte: 100, totalBytes: undefined }],
  ["HTTP/1.1 206 Part\r\nContent-Range: bytes 200-100/300\r\n\r\n", undefined],
  ["HTTP/1.1 206 Part\r\n\r\n", undefined],
  ["HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", undefined],
  ["HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", undefined],
])("%j covers %j", (text, extent) => {
  expect(extentOf(head(text))).toEqual(extent as never);
});

test.each([
  ['ETag: "abc"', '"abc"'],
  ['ETag: W/"abc"', undefined],
  ['ETag: "a"\r\nLast-Modified: Sat, 21 Nov 2026 10:00:00 GMT', '"a"'],
  ["Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT", "Sat, 21 Nov 2026 10:00:00 GMT"],
  ["Last-Modified: \u0001", undefined],
  ["X: y", undefined],
])("%j is validated by %j", (header, validator) => {
  expect(validatorOf(head(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`))).toBe(validator as string);
});
