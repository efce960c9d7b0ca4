import { afterEach, describe, expect, test } from "bun:test";
import { DrawnScreen, randomFrom } from "../../../test/support/drawn-screen.ts";
import { RfbPicture, UNSEEN } from "../../../test/support/rfb-picture.ts";
import { waitFor } from "../../lib/wait.ts";
import { formatEncodings } from "./encodings.ts";
import { Outbox } from "./outbox.ts";
import type { Rectangle } from "./rectangle.ts";
import { headerOf } from "./tight.ts";
import { Viewer } from "./viewer.ts";

const SIZE = { width: 120, height: 90 };
const VERSION = Buffer.from("RFB 003.008\n", "latin1");
const [COPY, TIGHT, CURSOR, EXTENDED_SIZE, FENCE, CONTINUOUS] = [1, 7, -239, -308, -312, -313];

function initOf({ width, height }: { readonly width: number; readonly height: number }): Buffer {
  const init = Buffer.alloc(24);
  init.writeUInt16BE(width, 0);
  init.writeUInt16BE(height, 2);
  for (const [at, byte] of [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0].entries())
    init.writeUInt8(byte, 4 + at);
  return init;
}

function requestOf(isFresh: boolean): Buffer {
  const request = Buffer.of(3, isFresh ? 0 : 1, 0, 0, 0, 0, 0, 0, 0, 0);
  request.writeUInt16BE(SIZE.width, 6);
  request.writeUInt16BE(SIZE.height, 8);
  return request;
}

const ONE_PIXEL = Buffer.of(3, 1, 0, 0, 0, 0, 0, 1, 0, 1);
const opened: Viewer[] = [];
afterEach(() => {
  for (const viewer of opened.splice(0)) viewer.close();
});

/** A viewer of a screen that is drawn on here, after the greetings. */
async function open(encodings: readonly number[] = [COPY, TIGHT], now = () => performance.now()) {
  const screen = new DrawnScreen(SIZE, randomFrom(3));
  const news: Rectangle[] = [];
  const [shown, told]: [Buffer[], Buffer[]] = [[], []];
  const failures: unknown[] = [];
  const line = { isFull: false };
  const sink = (into: Buffer[]) =>
    new Outbox({
      write(bytes) {
        if (into === shown && line.isFull) return 0;
        into.push(Buffer.from(bytes));
        return bytes.length;
      },
    });
  const toViewer = sink(shown);
  const viewer = new Viewer({
    screen: {
      get hasNews() {
        return news.length > 0;
      },
      look: async (_screen, besides) => screen.look([...news.splice(0), ...besides], []),
    },
    toViewer,
    toServer: sink(told),
    now,
    giveUp: (error) => void failures.push(error),
  });
  opened.push(viewer);
  const taken = (from: Buffer[]) => Buffer.concat(from.splice(0));
  viewer.fromServer(Buffer.concat([VERSION, Buffer.of(1, 1), Buffer.alloc(4), initOf(SIZE)]));
  viewer.fromViewer(Buffer.concat([VERSION, Buffer.of(1, 1), formatEncodings(encodings)]));
  await waitFor(() => told.length >= 4 && shown.length >= 4, { timeoutMs: 5_000, everyMs: 1 });
  const greetings = { shown: taken(shown), told: taken(told) };
  const picture = new RfbPicture(SIZE.width, SIZE.height);
  return {
    screen,
    viewer,
    picture,
    failures,
    greetings,
    /** What it has been sent since, once there is anything. */
    async see() {
      await waitFor(() => shown.length > 0, { timeoutMs: 5_000, everyMs: 1 });
      return taken(shown);
    },
    hear: async () => {
      await waitFor(() => told.length > 0, { timeoutMs: 5_000, everyMs: 1 });
      return taken(told);
    },
    isQuiet: () => shown.length === 0,
    isServerQuiet: () => told.length === 0,
    /** The viewer takes nothing until it is called again. */
    setFull(isFull: boolean) {
      line.isFull = isFull;
      if (isFull) return;
      toViewer.drain();
      viewer.stir();
    },
    draw() {
      screen.write({ x: 10, y: 10, width: 30, height: 20 }, 4);
      news.push({ x: 10, y: 10, width: 30, height: 20 });
      viewer.stir();
    },
    hasAll: () => screen.pixels.every((pixel, at) => pixel === picture.pixels[at]),
  };
}

describe("between a viewer and the screen's server", () => {
  test("greetings pass, and the server is asked for no pictures", async () => {
    const { greetings } = await open([COPY, TIGHT, -26, CURSOR]);
    expect(greetings.shown).toEqual(Buffer.concat([VERSION, Buffer.of(1, 1), Buffer.alloc(4), initOf(SIZE)]));
    expect(greetings.told).toEqual(Buffer.concat([VERSION, Buffer.of(1, 1), formatEncodings([0, CURSOR])]));
  });

  test("keys, pointer and what isn't known to be a picture's pass in order", async () => {
    const { viewer, hear } = await open();
    const said = Buffer.concat([
      Buffer.of(4, 1, 0, 0, 0, 0, 0, 97),
      Buffer.of(5, 0, 0, 1, 0, 2),
      Buffer.of(6, 0, 0, 0, 0, 0, 0, 1, 120),
    ]);
    viewer.fromViewer(said.subarray(0, 11));
    viewer.fromViewer(said.subarray(11));
    let heard = await hear();
    while (heard.length < said.length) heard = Buffer.concat([heard, await hear()]);
    expect(heard).toEqual(said);
  });

  test("cursors and bells pass; pictures of the server's don't", async () => {
    const { viewer, see, hear } = await open();
    const raw = Buffer.concat([headerOf({ x: 0, y: 0, width: 2, height: 1 }, 0), Buffer.alloc(8, 9)]);
    const cursor = Buffer.concat([
      headerOf({ x: 1, y: 1, width: 9, height: 2 }, CURSOR),
      Buffer.alloc(76, 5),
    ]);
    viewer.fromServer(Buffer.concat([Buffer.of(0, 0, 0, 2), raw, cursor, Buffer.of(2)]));
    expect(await hear()).toEqual(ONE_PIXEL);
    let seen = await see();
    while (seen.length < 4 + cursor.length + 1) seen = Buffer.concat([seen, await see()]);
    expect(seen).toEqual(Buffer.concat([Buffer.of(0, 0, 0, 1), cursor, Buffer.of(2)]));
  });

  test("a server is asked for no more cursors than its viewer takes", async () => {
    const { viewer, hear, setFull, isServerQuiet } = await open();
    const cursor = Buffer.concat([headerOf({ x: 1, y: 1, width: 9, height: 2 }, CURSOR), Buffer.alloc(76)]);
    setFull(true);
    viewer.fromServer(Buffer.concat([Buffer.of(0, 0, 0, 1), cursor]));
    await waitFor(() => false, { timeoutMs: 60 });
    viewer.stir();
    expect(isServerQuiet()).toBe(true);
    setFull(false);
    expect(await hear()).toEqual(ONE_PIXEL);
  });

  test.each([
    ["a message of no kind", Buffer.of(99)],
    [
      "a rectangle of no kind",
      Buffer.concat([Buffer.of(0, 0, 0, 1), headerOf({ x: 0, y: 0, width: 1, height: 1 }, 5)]),
    ],
    [
      "a name of gigabytes",
      Buffer.concat([
        Buffer.of(0, 0, 0, 1),
        headerOf({ x: 0, y: 0, width: 0, height: 0 }, -307),
        Buffer.alloc(4, 0x7f),
      ]),
    ],
  ])("%s of the server's ends it, with a reason", async (_what, said) => {
    const { viewer, failures } = await open();
    viewer.fromServer(said);
    await waitFor(() => failures.length > 0, { timeoutMs: 5_000, everyMs: 1 });
    expect(`${failures[0]}`).toMatch(/read|longer than any/);
    viewer.fromServer(said);
    expect(failures).toHaveLength(1);
  });

  test("a viewer's message of no kind ends it, too", async () => {
    const { viewer, failures } = await open();
    viewer.fromViewer(Buffer.of(77));
    expect(await waitFor(() => failures.length === 1, { timeoutMs: 5_000, everyMs: 1 })).toBe(true);
  });
});

describe("pictures", () => {
  test("come when they are asked for, each time the newest", async () => {
    const { viewer, picture, see, isQuiet, draw, hasAll } = await open();
    viewer.fromViewer(requestOf(true));
    await picture.apply(await see());
    expect(hasAll()).toBe(true);
    for (let drawn = 0; drawn < 5; drawn++) draw();
    await waitFor(() => false, { timeoutMs: 60 });
    expect(isQuiet()).toBe(true);
    viewer.fromViewer(requestOf(false));
    await picture.apply(await see());
    expect(hasAll()).toBe(true);
  });

  test("come at once after a silence, and else when there was time for what belongs to them", async () => {
    const clock = { ms: 1_000 };
    const { viewer, picture, see, isQuiet, draw, hasAll } = await open([COPY, TIGHT], () => clock.ms);
    viewer.fromViewer(requestOf(true));
    await picture.apply(await see());
    // No timer can go off meanwhile.
    const turn = async () => {
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    };
    const isShownAtOnce = async (laterMs: number) => {
      clock.ms += laterMs;
      viewer.fromViewer(requestOf(false));
      await turn();
      draw();
      await turn();
      const isThere = !isQuiet();
      await picture.apply(await see());
      expect(hasAll()).toBe(true);
      return isThere;
    };
    expect(await isShownAtOnce(200)).toBe(true);
    expect(await isShownAtOnce(50)).toBe(false);
    expect(await isShownAtOnce(200)).toBe(true);
  });

  test("come by themselves to who wants so, while they are answered for", async () => {
    const { viewer, picture, see, isQuiet, draw, hasAll, greetings } = await open([TIGHT, FENCE, CONTINUOUS]);
    expect(greetings.shown.at(-1)).toBe(150);
    viewer.fromViewer(Buffer.of(150, 1, 0, 0, 0, 0, 0, SIZE.width, 0, SIZE.height));
    const marks: Buffer[] = [];
    const take = async () => {
      const seen = await see();
      const length = await picture.apply(seen);
      // An update, and mostly a fence that asks for an answer.
      if (seen.length > length) {
        expect([seen.length - length, seen.readUInt8(length)]).toEqual([13, 248]);
        marks.push(seen.subarray(length));
      }
    };
    await take();
    for (let update = 1; update < 12; update++) {
      draw();
      await take();
      expect(hasAll()).toBe(true);
    }
    expect(marks).toHaveLength(12);
    draw();
    await waitFor(() => false, { timeoutMs: 60 });
    expect(isQuiet()).toBe(true);
    const answer = Buffer.from(marks[0] ?? []);
    answer.writeUInt32BE(1, 4);
    viewer.fromViewer(answer);
    await take();
    expect(hasAll()).toBe(true);
  });

  test("are of the new size once the server has told it", async () => {
    const { viewer, picture, see } = await open([TIGHT, EXTENDED_SIZE]);
    viewer.fromViewer(requestOf(true));
    await picture.apply(await see());
    const size = { x: 0, y: 0, width: 100, height: 50 };
    const told = Buffer.concat([headerOf(size, EXTENDED_SIZE), Buffer.of(1, 0, 0, 0), Buffer.alloc(16)]);
    viewer.fromServer(Buffer.concat([Buffer.of(0, 0, 0, 1), told]));
    viewer.fromViewer(requestOf(false));
    let seen = await see();
    expect(seen.subarray(0, 4 + told.length)).toEqual(Buffer.concat([Buffer.of(0, 0, 0, 1), told]));
    const rest = seen.subarray(4 + told.length);
    seen = rest.length > 0 ? rest : await see();
    picture.resize(100, 50);
    expect(await picture.apply(seen)).toBe(seen.length);
    expect(picture.pixels.includes(UNSEEN)).toBe(false);
  });

  test("that were sent with loss are made good while something else moves all the time", async () => {
    const clock = { ms: 1_000 };
    const jpegs = -26;
    const { viewer, screen, picture, see, draw, hasAll } = await open([COPY, TIGHT, jpegs], () => clock.ms);
    screen.write({ x: 0, y: 32, width: 120, height: 58 }, 0x1000000);
    viewer.fromViewer(requestOf(true));
    await picture.apply(await see());
    expect(hasAll()).toBe(false);
    for (let film = 0; film < 30; film++) {
      clock.ms += 50;
      draw();
      viewer.fromViewer(requestOf(false));
      await picture.apply(await see());
    }
    expect(hasAll()).toBe(true);
  });

  test("are of the kind that was wished for last", async () => {
    const { viewer, picture, see, draw, hasAll } = await open();
    viewer.fromViewer(requestOf(true));
    await picture.apply(await see());
    expect(picture.seen.raw).toBe(0);
    viewer.fromViewer(Buffer.concat([formatEncodings([0]), requestOf(false)]));
    draw();
    const before = { ...picture.seen };
    await picture.apply(await see());
    expect(picture.seen.raw).toBeGreaterThan(0);
    expect(picture.seen).toEqual({ ...before, raw: picture.seen.raw });
    expect(hasAll()).toBe(true);
  });

  test("are no reason to leave a viewer's own fence unanswered", async () => {
    const { viewer, see } = await open();
    viewer.fromViewer(Buffer.of(248, 0, 0, 0, 0x80, 0, 0, 7, 2, 65, 66));
    expect(await see()).toEqual(Buffer.of(248, 0, 0, 0, 0, 0, 0, 3, 2, 65, 66));
  });
});
