import { describe, expect, test } from "bun:test";
import { compareSittings, pickByWords } from "./compare.ts";
import { openLine } from "./line.ts";
import { paintPlasma, paintText } from "./pictures.ts";
import { joinSittings, type Sitting } from "./sitting.ts";
import { nameProgram, spentBetween } from "./spent.ts";
import { BLOCK, MARK, renderStamp } from "./stamp.ts";
import { delaysOf } from "./watch.ts";

const sitting = (framesPerSecond: number, delayMs: number): Sitting => {
  const shown = { framesPerSecond, kBPerSecond: 100, processors: 0.1, byProgram: {} };
  const typed = { delaysMs: [delayMs], lost: 0 };
  return { shown: { scroll: shown, drag: shown, clip: shown }, typed, typedFar: typed };
};

describe("the comparison of browsers", () => {
  const figures = compareSittings(
    new Map([
      ["ours", sitting(50, 30)],
      ["smooth", sitting(60, 40)],
      ["prompt", sitting(20, 20)],
    ]),
    "small",
  );

  test("judges each figure by the best of the others", () => {
    const of = (name: string) => figures.find((one) => one.figure === `small, ${name}` && one.goal !== null);
    expect(of("scroll: time a frame")).toMatchObject({ beside: "smooth", met: false });
    expect(of("key → paint, p50")).toMatchObject({ beside: "prompt", met: false });
    expect(figures.filter(({ goal }) => goal !== null)).toHaveLength(12);
  });

  test("leaves out who showed nothing", () => {
    const dark = compareSittings(
      new Map([
        ["ours", sitting(50, 30)],
        ["dark", sitting(0, Number.NaN)],
      ]),
      "s",
    );
    expect(dark).toEqual([]);
  });
});

test("of several rounds there are medians, and the keys of all", () => {
  const { typed, ...unkeyed } = sitting(40, 1);
  const joined = joinSittings([sitting(50, 30), unkeyed, sitting(60, 10)]);
  expect(joined.shown.scroll).toMatchObject({ framesPerSecond: 50, processors: 0.1 });
  expect(joined.typed).toEqual({ delaysMs: [30, 10], lost: 0 });
  expect(joinSittings([{ shown: {} }])).toEqual({ shown: {} });
});

test("one scene alone is judged by its own figures", () => {
  const only = (framesPerSecond: number): Sitting => {
    const { scroll } = sitting(framesPerSecond, 1).shown;
    return scroll === undefined ? { shown: {} } : { shown: { scroll } };
  };
  const figures = compareSittings(
    new Map([
      ["ours", only(50)],
      ["peer", only(60)],
    ]),
    "small",
  );
  expect(figures.map(({ figure }) => figure)).toEqual([
    "small, scroll: time a frame",
    "small, scroll: sent a frame",
    "small, scroll: server's CPU a frame",
  ]);
});

test.each([
  [["browser", "small"], ["small"]],
  [["browser"], ["small", "large"]],
  [
    ["large", "small"],
    ["small", "large"],
  ],
])("of the words %p, %p are meant", (words, meant) => {
  expect(pickByWords({ small: "small", large: "large" }, words)).toEqual(meant);
});

test.each([
  [["/usr/bin/nxagent", ":100"], "nxagent"],
  [["/opt/qvd/qvd", "guest", "screen", "/tmp/.X11-unix/X100"], "qvd guest screen"],
  [["postgres: qvd checkpointer"], "postgres"],
  [[], "others"],
])("the program of %p is %p", (command, name) => {
  expect(nameProgram(command)).toBe(name);
});

test("of a process that ended meanwhile counts what it has done since, wherever it is counted", () => {
  const use = (program: string, parentPid: number, seconds: number) => ({ program, parentPid, seconds });
  const before = new Map([
    [1, use("postmaster", 0, 1)],
    [2, use("backend", 1, 5)],
    [3, use("stranger's", 9, 7)],
  ]);
  const after = new Map([
    [1, use("postmaster", 0, 6.25)],
    [4, use("backend", 1, 0.5)],
  ]);
  expect([...spentBetween(before, after)]).toEqual([
    ["postmaster", 0.25],
    ["backend", 0.5],
  ]);
});

test("a stamp says its number in black and white after red and green", () => {
  const pixels = renderStamp(0b10000001);
  const at = (block: number) => [...pixels.subarray((block * BLOCK + 8) * 4, (block * BLOCK + 8) * 4 + 3)];
  expect([at(0), at(1)]).toEqual([
    [0, 0, 255],
    [0, 255, 0],
  ]);
  expect([2, 3, 8, 9].map((block) => at(block)[0])).toEqual([255, 0, 0, 255]);
  expect(pixels).toHaveLength(MARK.width * MARK.height * 4);
});

test.each([
  [
    [10, 25, 60],
    [0, 20, 50],
    [10, 5, 10],
  ],
  [[30], [0, 20], [10]],
  [[], [0], []],
])("of pictures at %p, keys at %p took %p ms", (seenAt, keysAt, delays) => {
  expect(delaysOf({ seenAt, keysAt })).toEqual(delays);
});

test("pictures are the same in every run, and another with another seed", () => {
  const size = { width: 64, height: 24 };
  expect(paintText(size, 1)).toEqual(paintText(size, 1));
  expect(paintText(size, 1)).not.toEqual(paintText(size, 2));
  expect(paintPlasma(size, 0.5)).not.toEqual(paintPlasma(size, 0.25));
});

test("a line counts what it carries, and delays it", async () => {
  const echo = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket, chunk) => void socket.write(chunk) },
  });
  const place = `/tmp/qvd-line-test-${process.pid}`;
  const read = await openLine(place, echo.port, 30);
  const start = performance.now();
  const back = Promise.withResolvers<string>();
  const client = await Bun.connect({
    unix: place,
    socket: { data: (_socket, chunk) => back.resolve(`${chunk}`) },
  });
  client.write("hello");
  expect(await back.promise).toBe("hello");
  expect(performance.now() - start).toBeGreaterThan(55);
  expect(read()).toEqual({ toBrowser: 5, toServer: 5 });
  client.end();
  echo.stop(true);
});
