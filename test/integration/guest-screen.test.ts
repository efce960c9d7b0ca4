/** The session's screen as its painter shows it, on a real X server: what is scrolled and moved there is copied, all of it exact. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { paintPlasma, paintText } from "../../bench/browser/pictures.ts";
import { readPixels } from "../../bench/x11/connection.ts";
import { Painter } from "../../bench/x11/draw.ts";
import { formatEncodings } from "../../src/guest/screen/encodings.ts";
import { serveViewers } from "../../src/guest/screen/serve-viewers.ts";
import { formatSide } from "../../src/guest/screen/side.ts";
import { XConnection } from "../../src/guest/screen/x-connection.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { Incomplete, RfbPicture } from "../support/rfb-picture.ts";

const SIZE = { width: 640, height: 480 };
const WHOLE = { x: 0, y: 0, ...SIZE };
const VERSION = Buffer.from("RFB 003.008\n", "latin1");

type Xvfb = Bun.Subprocess<"ignore", "pipe", "ignore">;

let xvfb: Xvfb;
let folder: string;
let display: string;
let drawn: Painter;
let service: { stop(): void };

async function startXvfb(depth: number): Promise<{ readonly xvfb: Xvfb; readonly display: string }> {
  const screen = ["-screen", "0", `${SIZE.width}x${SIZE.height}x${depth}`, "-nolisten", "tcp", "-noreset"];
  const started = Bun.spawn(["Xvfb", "-displayfd", "1", ...screen], {
    env: { ...CLEAN_ENV },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const said = await started.stdout.getReader().read();
  const number = Buffer.from(said.value ?? [])
    .toString()
    .trim();
  return { xvfb: started, display: `/tmp/.X11-unix/X${number}` };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "qvd-screen-test-"));
  ({ xvfb, display } = await startXvfb(24));
  drawn = await Painter.open(display);
  service = await serveViewers({ display, socket: `${folder}/painter`, say: () => {} });
}, 30_000);

afterAll(async () => {
  service?.stop();
  drawn?.x11.close();
  xvfb?.kill("SIGKILL");
  await xvfb?.exited;
  rmSync(folder, { recursive: true, force: true });
});

/** A viewer, and a server that greets and says nothing more. */
async function view(pair: number, isServed = true) {
  const picture = new RfbPicture(SIZE.width, SIZE.height);
  const state = { received: Buffer.alloc(0), isClosed: false };
  const connect = (name: "viewer" | "server", take: (chunk: Buffer) => void) =>
    Bun.connect({
      unix: `${folder}/painter`,
      socket: {
        open: (socket) => void socket.write(formatSide(name, pair)),
        data: (_socket, chunk) => take(chunk),
        close() {
          state.isClosed = true;
        },
      },
    });
  const viewer = await connect("viewer", (chunk) => {
    state.received = Buffer.concat([state.received, chunk]);
  });
  const server = isServed ? await connect("server", () => {}) : undefined;
  const init = Buffer.alloc(24);
  init.writeUInt16BE(SIZE.width, 0);
  init.writeUInt16BE(SIZE.height, 2);
  for (const [at, byte] of [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0].entries())
    init.writeUInt8(byte, 4 + at);
  const greeting = Buffer.concat([VERSION, Buffer.of(1, 1), Buffer.alloc(4), init]);
  server?.write(greeting);
  viewer.write(Buffer.concat([VERSION, Buffer.of(1, 1), formatEncodings([1, 7, -26])]));
  let hasGreeted = false;
  const request = (isFresh: boolean) => {
    const words = Buffer.of(3, isFresh ? 0 : 1, 0, 0, 0, 0, 0, 0, 0, 0);
    words.writeUInt16BE(SIZE.width, 6);
    words.writeUInt16BE(SIZE.height, 8);
    viewer.write(words);
  };
  const takeUpdate = async (): Promise<boolean> => {
    if (!hasGreeted) {
      if (state.received.length < greeting.length) return false;
      state.received = state.received.subarray(greeting.length);
      hasGreeted = true;
      request(true);
    }
    try {
      const length = await picture.apply(state.received);
      state.received = state.received.subarray(length);
      request(false);
      return true;
    } catch (error) {
      if (error instanceof Incomplete) return false;
      throw error;
    }
  };
  return {
    picture,
    state,
    server,
    /** Until it has the screen as it is, exactly. */
    async hasScreen() {
      await drawn.sync();
      const drawnNow = await readPixels(drawn.x11, WHOLE);
      const view = new DataView(drawnNow.buffer, drawnNow.byteOffset, drawnNow.length);
      const isSame = () =>
        picture.pixels.every((pixel, at) => pixel === (view.getUint32(at * 4, true) & 0xffffff));
      return await waitFor(async () => (await takeUpdate()) && !picture.lossy.includes(1) && isSame(), {
        timeoutMs: 20_000,
        everyMs: 2,
      });
    },
    close() {
      viewer.end();
      server?.end();
    },
  };
}

test("what is scrolled or moved is copied, and all of it is exact once it rests", async () => {
  const page = { x: 20, y: 20, width: 400, height: 360 };
  const window = drawn.openPicture(page, paintText(page, 1));
  const small = { x: 430, y: 30, width: 160, height: 120 };
  const moved = drawn.openPicture(small, paintText(small, 2));
  const one = await view(1);
  const other = await view(2);
  expect(await one.hasScreen()).toBe(true);
  expect(one.picture.seen.copy).toBe(0);

  const from = { x: 0, y: 24, width: page.width, height: page.height - 24 };
  drawn.copyArea({ from: window, to: window }, from, { x: 0, y: 0 });
  const line = { x: 0, y: page.height - 24, width: page.width, height: 24 };
  drawn.putImage(window, line, paintText(line, 3));
  expect(await one.hasScreen()).toBe(true);
  expect(one.picture.seen.copy).toBe(1);

  // Where a window was is told with its first move.
  drawn.move(moved, { x: 435, y: 40 });
  expect(await one.hasScreen()).toBe(true);
  const { copy } = one.picture.seen;
  drawn.move(moved, { x: 300, y: 200 });
  expect(await one.hasScreen()).toBe(true);
  expect(one.picture.seen.copy).toBeGreaterThan(copy);

  const film = { x: 0, y: 0, width: 160, height: 120 };
  drawn.putImage(moved, film, paintPlasma(film, 0.3));
  expect(await one.hasScreen()).toBe(true);
  expect(one.picture.seen.jpeg).toBeGreaterThan(0);
  // Who had not looked meanwhile has the newest at once.
  expect(await other.hasScreen()).toBe(true);
  one.close();
  other.close();
}, 60_000);

test("a viewer whose server says what can't be read is ended, and no other", async () => {
  const [good, bad] = [await view(3), await view(4)];
  expect(await good.hasScreen()).toBe(true);
  bad.server?.write(Buffer.of(99));
  expect(await waitFor(() => bad.state.isClosed, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  const dot = { x: 0, y: 0, width: 8, height: 8 };
  drawn.putImage(drawn.openWindow(dot), dot, new Uint8Array(256).fill(77));
  expect(await good.hasScreen()).toBe(true);
  good.close();
}, 60_000);

test("a viewer that no server comes for is ended", async () => {
  const lonely = await view(5, false);
  expect(await waitFor(() => lonely.state.isClosed, { timeoutMs: 20_000, everyMs: 20 })).toBe(true);
}, 30_000);

test("where there is no screen to look at there is no service", async () => {
  const place = { display: `${folder}/none`, socket: `${folder}/other`, say: () => {} };
  await expect(serveViewers(place)).rejects.toThrow("let nobody in");
});

test("where a pixel has other than 32 bits there is no service", async () => {
  const small = await startXvfb(16);
  try {
    const place = { display: small.display, socket: `${folder}/other`, say: () => {} };
    await expect(serveViewers(place)).rejects.toThrow("16 bits");
  } finally {
    small.xvfb.kill("SIGKILL");
    await small.xvfb.exited;
  }
}, 30_000);

test("a program that keeps the server to itself for a while ends no viewer", async () => {
  const [asking, keeping] = [await XConnection.open(display), await XConnection.open(display)];
  const [GRAB_SERVER, UNGRAB_SERVER, GET_INPUT_FOCUS] = [36, 37, 43];
  const nothing = Buffer.alloc(0);
  keeping.send(GRAB_SERVER, 0, nothing);
  await keeping.ask(GET_INPUT_FOCUS, 0, nothing);
  const answer = { isThere: false };
  const asked = asking.ask(GET_INPUT_FOCUS, 0, nothing).then(() => {
    answer.isThere = true;
  });
  await sleep(12_000);
  expect(answer.isThere).toBe(false);
  keeping.send(UNGRAB_SERVER, 0, nothing);
  await asked;
  expect(asking.isOpen).toBe(true);
  for (const connection of [asking, keeping]) connection.close();
});
