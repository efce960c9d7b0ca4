import { describe, expect, test } from "bun:test";
import {
  FrameSplitter,
  formatFrame,
  formatSoundHead,
  MOST_FRAME_BYTES,
  parseMicrophoneRate,
  parseSoundHead,
  parseSoundWish,
} from "./sound.ts";

test("what a page plays is taken in our order, and what isn't known is left out", () => {
  expect(parseSoundWish("pcm,mp3,opus")).toEqual(["opus", "pcm"]);
  expect(parseSoundWish("")).toEqual([]);
});

test("a head names a codec or a problem, or is none", () => {
  for (const head of [{ codec: "opus" }, { problem: "the image has no pactl" }] as const)
    expect(parseSoundHead(formatSoundHead(head).trimEnd())).toEqual(head);
  for (const line of ["", "{}", "null", '{"codec":"mp3"}', '{"problem":1}'])
    expect(parseSoundHead(line), line).toBeUndefined();
});

test("a microphone has as many samples as some card has", () => {
  expect(parseMicrophoneRate("44100")).toBe(44_100);
  for (const text of ["", "1", "999999", "48000;rm", "-48000", "4e4"])
    expect(parseMicrophoneRate(text), text).toBeUndefined();
});

describe("frames", () => {
  const frames = [1, 0, 500, MOST_FRAME_BYTES].map((length, at) => new Uint8Array(length).fill(at + 1));
  const stream = Buffer.concat(frames.map(formatFrame));

  test("come out as they went in, however the stream is cut", () => {
    for (const size of [1, 2, 3, 7, 501, stream.length]) {
      const splitter = new FrameSplitter();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...(splitter.push(stream.subarray(at, at + size)) ?? []));
      expect(found.map(({ length }) => length)).toEqual([1, 0, 500, MOST_FRAME_BYTES]);
      expect(Buffer.concat(found).equals(Buffer.concat(frames))).toBe(true);
    }
  });

  test("that are too long end it", () => {
    expect(new FrameSplitter().push(Uint8Array.of(0xff, 0xff, 1))).toBeUndefined();
  });
});
