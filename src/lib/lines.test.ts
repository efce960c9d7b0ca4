import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { LineSplitter } from "./lines.ts";

const TEXT = "one\n\nñ 漢 €\nfour\nrest";
const LINES = ["one", "", "ñ 漢 €", "four"];

test.each([1, 2, 3, 5, 8, 64])("cuts lines out of chunks of %d bytes", (size) => {
  const bytes = Buffer.from(TEXT);
  const splitter = new LineSplitter(100);
  const lines: (string | null)[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = Uint8Array.from(bytes.subarray(at, at + size));
    lines.push(...splitter.push(chunk));
    // As the socket layer does.
    chunk.fill(0);
  }
  expect(lines).toEqual(LINES);
  expect(splitter.push(Buffer.from("\n"))).toEqual(["rest"]);
});

test("drops a line over the bound whole, tells of it once, and goes on", () => {
  const splitter = new LineSplitter(4);
  expect(splitter.push(Buffer.from("1234\n12345\n12"))).toEqual(["1234", null]);
  expect(splitter.push(Buffer.from("345678"))).toEqual([]);
  expect(splitter.push(Buffer.from("9\nend\n"))).toEqual([null, "end"]);
});

test("keeps one piece of a line that comes byte by byte", () => {
  const splitter = new LineSplitter(100_000);
  const count = () => {
    Bun.gc(true);
    return heapStats().objectTypeCounts.Uint8Array ?? 0;
  };
  const before = count();
  for (let sent = 0; sent < 20_000; sent++) splitter.push(new Uint8Array([65]));
  expect(count() - before).toBeLessThan(1_000);
  expect(splitter.push(Buffer.from("\n"))[0]).toHaveLength(20_000);
});
