import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { ScreenEnd } from "./gateway/desktop-ends.ts";
import { FirstLine } from "./gateway/first-line.ts";
import { keepTogether } from "./keep-together.ts";

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("what waits", () => {
  test.each([
    [1, 20],
    [100, 20],
    [3_000, 25],
    [5_000, 13],
    [100_000, 1],
  ])("is all there, and in few pieces, where it came in %d bytes each", (size, most) => {
    const bytes = randomBytes(60_000);
    const waiting: Uint8Array[] = [];
    for (const chunk of cut(bytes, size)) keepTogether(waiting, chunk);
    expect(waiting.length).toBeLessThanOrEqual(most);
    expect(Buffer.concat(waiting).equals(bytes)).toBe(true);
  });

  test("of a browser for a desktop that doesn't read is sent in few pieces", () => {
    const sent: Uint8Array[] = [];
    let isTaking = false;
    const write = (bytes: Uint8Array) => {
      if (!isTaking) return 0;
      sent.push(Uint8Array.from(bytes));
      return bytes.length;
    };
    const socket = { write, pause: () => {}, resume: () => {}, terminate: () => {} };
    const end = new ScreenEnd(socket, { page: { sendBinary: () => 0 }, onClosed: () => {} });
    const bytes = randomBytes(20_000);
    for (const chunk of cut(bytes, 1)) expect(end.send(chunk, 20_000)).toBe(true);
    expect(end.send(Buffer.from([1]), 20_000)).toBe(false);
    isTaking = true;
    end.onDrain();
    expect(sent.length).toBeLessThan(10);
    expect(Buffer.concat(sent).equals(Buffer.concat([bytes, Buffer.from([1])]))).toBe(true);
  });

  test("of a first line is given on in few pieces", () => {
    const line = new FirstLine();
    const text = `GET /${"a".repeat(6_000)} HTTP/1.1\r\nHost: x\r\n`;
    let speaker: string | undefined;
    for (const chunk of cut(Buffer.from(text), 1)) speaker ??= line.push(chunk);
    expect(speaker).toBe("browser");
    expect(line.chunks.length).toBeLessThan(5);
  });
});
