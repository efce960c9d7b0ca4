import { describe, expect, test } from "bun:test";
import { FirstLine } from "./first-line.ts";

const CASES: readonly (readonly [string, "browser" | "client" | undefined])[] = [
  ["GET / HTTP/1.1\r\nHost: x\r\n", "browser"],
  ["POST /sign-in HTTP/1.1\r\nHost: x\r\n", "browser"],
  ["GET /desktop/1/ws?ticket=a HTTP/1.1\r\nHost: x\r\n", "browser"],
  ["GET /qvdx HTTP/1.1\r\nHost: x\r\n", "browser"],
  ["GET / HTTP/1.0\r\n", "browser"],
  ["GET /foo HTTP/1.1\r\n", undefined],
  ["GET /foo HTTP/1.1\r\n\r\n", "client"],
  ["GET /foo HTTP/1.1\r\n\n", "client"],
  ["GET /foo HTTP/1.1\n", "client"],
  ["GET /qvd/ping HTTP/1.1\r\n", "client"],
  ["GET /qvd/connect_to_vm?id=1&qvd.client.keyboard=pc105/us HTTP/1.1\n", "client"],
  ["GET https://host/qvd/ping HTTP/1.1\r\n", "client"],
  ["get / http/1.1\r\n", "client"],
  ["\r\nGET / HTTP/1.1\r\n", "client"],
  ["\u0016\u0003\u0001\n", "client"],
  ["GET / HTTP/1.1", undefined],
  ["x".repeat(9_000), "client"],
];

describe("the first line of a connection", () => {
  for (const [text, speaker] of CASES) {
    const shown = JSON.stringify(text.slice(0, 50));
    test(`${shown} is of ${speaker ?? "nobody yet"}`, () => {
      expect(new FirstLine().push(Buffer.from(text))).toBe(speaker);
    });
    test(`${shown} is of the same byte by byte, and nothing is lost`, () => {
      const line = new FirstLine();
      let found: string | undefined;
      let length = 0;
      for (const byte of Buffer.from(text)) {
        found = line.push(new Uint8Array([byte]));
        length++;
        if (found !== undefined) break;
      }
      expect(found).toBe(speaker);
      expect(Buffer.concat(line.chunks).toString()).toBe(Buffer.from(text).subarray(0, length).toString());
    });
  }
});
