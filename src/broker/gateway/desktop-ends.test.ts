import { beforeEach, describe, expect, test } from "bun:test";
import type { DisplayNews } from "../../wire/display/control.ts";
import { ControlEnd } from "./desktop-ends.ts";

const COPIED = '{"type":"clipboard","text":"inside"}\n';

let news: DisplayNews[];
let ends: number;
let control: ControlEnd;

beforeEach(() => {
  news = [];
  ends = 0;
  const socket = { write: (bytes: Uint8Array) => bytes.length, terminate: () => void ends++ };
  control = new ControlEnd(socket, (one) => void news.push(one));
});

describe("what a desktop says beside its picture", () => {
  test("is passed on, and what is no news left out", () => {
    control.onData(Buffer.from(`{"type":"later"}\nnonsense\n${COPIED}`));
    expect(news).toEqual([{ type: "clipboard", text: "inside" }]);
    expect(ends).toBe(0);
  });

  test("may be a clipboard of the longest, in as small pieces as a network has", () => {
    const line = Buffer.from(`{"type":"clipboard","text":"${"\\u0001".repeat(100_000)}"}\n`);
    for (let at = 0; at < line.length; at += 1_400) control.onData(line.subarray(at, at + 1_400));
    expect(news).toHaveLength(1);
    expect(ends).toBe(0);
  });

  test.each([
    ["lines without a word", "\n".repeat(2_000)],
    ["more copies than hands make", COPIED.repeat(2_000)],
  ])("is heard no more after %s", (_, text) => {
    control.onData(Buffer.from(text));
    expect(ends).toBe(1);
    expect(news).toEqual([]);
  });

  test("is heard no more after bytes without end", () => {
    for (let sent = 0; sent < 64 && ends === 0; sent++) control.onData(Buffer.alloc(128 * 1024, "a"));
    expect(ends).toBe(1);
  });
});
