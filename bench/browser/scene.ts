/**
 * What is drawn while browsers are compared, each frame with its number on it (`stamp.ts`), by one X client that is the
 * same for every server. A program of its own, so that its time is nobody's:
 *
 *     bun bench/browser/scene.ts SOCKET NAME WIDTH HEIGHT
 *
 * It draws until its standard input ends. It is told how large the screen is: nxagent tells new clients of a session that
 * nobody shows by NX another size than it has.
 */

import { KEY_PRESS, Painter } from "../x11/draw.ts";
import { paintPlasma, paintText } from "./pictures.ts";
import type { Size } from "./server.ts";
import { MARK, renderStamp } from "./stamp.ts";

export const SCENES = ["scroll", "drag", "clip", "keys"] as const;
export type SceneName = (typeof SCENES)[number];

type Scene = {
  /** Zero: a frame for each key. */
  readonly framesPerSecond: number;
  /** Draws frame `number`, all but its stamp. */
  readonly draw: (number: number) => void;
};

const AT = { x: 24, y: 60 };

export async function playScene(path: string, name: SceneName, { width, height }: Size): Promise<void> {
  const painter = await Painter.open(path);
  const place = { ...MARK, x: AT.x, y: 24 };
  const stamp = name === "keys" ? painter.openForKeys(place) : painter.openWindow(place);
  const scene = prepare(name, painter, { width: width - 2 * AT.x, height: height - AT.y - AT.x });
  let number = 0;
  const show = () => {
    number++;
    scene.draw(number);
    painter.putImage(stamp, { ...MARK, x: 0, y: 0 }, renderStamp(number));
  };
  show();
  await painter.sync();
  if (scene.framesPerSecond === 0) {
    painter.x11.onEvent((event) => {
      if ((event[0] ?? 0) === KEY_PRESS) show();
    });
    return;
  }
  const start = performance.now();
  for (let frame = 1; painter.x11.isOpen; frame++) {
    // No faster than the server draws: what waits in its socket would be shown long after.
    await painter.sync();
    const dueMs = start + (frame * 1000) / scene.framesPerSecond - performance.now();
    if (dueMs > 0) await Bun.sleep(dueMs);
    show();
  }
}

function prepare(
  name: SceneName,
  painter: Painter,
  room: { readonly width: number; readonly height: number },
): Scene {
  if (name === "scroll") return scroll(painter, room);
  if (name === "drag") return drag(painter, room);
  if (name === "clip") return clip(painter);
  return { framesPerSecond: 0, draw: () => {} };
}

/** A page of text, two lines further with each frame. */
function scroll(painter: Painter, room: { readonly width: number; readonly height: number }): Scene {
  const step = 24;
  const [width, height] = [Math.floor(room.width), Math.floor(room.height / step) * step];
  const window = painter.openWindow({ ...AT, width, height });
  const lines = Array.from({ length: 40 }, (_, i) => paintText({ width, height: step }, i));
  const put = (row: number, y: number) =>
    painter.putImage(window, { x: 0, y, width, height: step }, lines[row % lines.length] ?? new Uint8Array());
  for (let y = 0; y < height; y += step) put(y / step, y);
  return {
    framesPerSecond: 60,
    draw: (number) => {
      painter.copyArea(
        { from: window, to: window },
        { x: 0, y: step, width, height: height - step },
        { x: 0, y: 0 },
      );
      put(number, height - step);
    },
  };
}

/** A window of text over a page of text, moved on a circle. */
function drag(painter: Painter, room: { readonly width: number; readonly height: number }): Scene {
  const ground = { ...AT, width: Math.floor(room.width), height: Math.floor(room.height) };
  painter.openPicture(ground, paintText(ground, 1));
  const size = { width: 400, height: 300 };
  const moved = painter.openPicture({ ...AT, ...size }, paintText(size, 7));
  const [farX, farY] = [room.width - size.width, room.height - size.height];
  return {
    framesPerSecond: 60,
    draw: (number) => {
      const turn = (number / 120) * 2 * Math.PI;
      painter.move(moved, {
        x: Math.round(AT.x + (farX * (1 + Math.cos(turn))) / 2),
        y: Math.round(AT.y + (farY * (1 + Math.sin(turn))) / 2),
      });
    },
  };
}

function clip(painter: Painter): Scene {
  const size = { width: 640, height: 360 };
  const window = painter.openWindow({ ...AT, ...size });
  const pictures = Array.from({ length: 25 }, (_, i) => paintPlasma(size, i / 25));
  return {
    framesPerSecond: 25,
    draw: (number) =>
      painter.putImage(
        window,
        { x: 0, y: 0, ...size },
        pictures[number % pictures.length] ?? new Uint8Array(),
      ),
  };
}

if (import.meta.main) {
  const [path, name, ...size] = process.argv.slice(2);
  const [width = Number.NaN, height = Number.NaN] = size.map(Number);
  const scene = SCENES.find((one) => one === name);
  if (path === undefined || scene === undefined || !(width > 0) || !(height > 0))
    throw new Error(`usage: scene.ts SOCKET ${SCENES.join("|")} WIDTH HEIGHT`);
  process.stdin.on("end", () => process.exit(0)).resume();
  await playScene(path, scene, { width, height });
}
