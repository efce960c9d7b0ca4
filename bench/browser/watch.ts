/**
 * What runs in the page while a scene is drawn: reads the stamp off whatever canvas shows it, once a frame of the
 * browser's own, and remembers when it changed and when keys went down. It knows nothing of whose page it is.
 */

import type { Page } from "playwright-core";
import { BLOCK } from "./stamp.ts";

export type Watched = {
  /** When another number was first seen, by the page's clock in milliseconds. */
  readonly seenAt: readonly number[];
  readonly keysAt: readonly number[];
};

const WATCH = `(() => {
  const BLOCK = ${BLOCK};
  const watch = { seenAt: [], keysAt: [], last: -1, place: undefined };
  const isRed = (d, at) => d[at] > 170 && d[at + 1] < 90 && d[at + 2] < 90;
  const isGreen = (d, at) => d[at] < 90 && d[at + 1] > 170 && d[at + 2] < 90;
  function find() {
    for (const canvas of document.querySelectorAll("canvas")) {
      const context = canvas.width > BLOCK * 10 ? canvas.getContext("2d") : null;
      if (!context) continue;
      const high = Math.min(canvas.height, 240);
      const { data } = context.getImageData(0, 0, canvas.width, high);
      for (let y = 4; y < high; y += 4)
        for (let x = 0; x + BLOCK * 10 < canvas.width; x += 4) {
          const at = (y * canvas.width + x) * 4;
          if (!isRed(data, at) || !isRed(data, at + 32) || !isGreen(data, at + BLOCK * 4 + 32)) continue;
          let left = x;
          while (left > 0 && isRed(data, (y * canvas.width + left - 1) * 4)) left--;
          let top = y;
          while (top > 0 && isRed(data, ((top - 1) * canvas.width + left + 4) * 4)) top--;
          return { canvas, context, left, y: top + BLOCK / 2 };
        }
    }
  }
  function read(now) {
    const { place } = watch;
    if (place) {
      const { data } = place.context.getImageData(place.left, place.y, BLOCK * 10, 1);
      let number = 0;
      for (let bit = 0; bit < 8; bit++) if (data[((bit + 2) * BLOCK + BLOCK / 2) * 4] > 127) number |= 1 << bit;
      if (number !== watch.last) watch.seenAt.push(now);
      watch.last = number;
    }
    requestAnimationFrame(() => read(performance.now()));
  }
  watch.find = () => Boolean((watch.place = find()));
  watch.begin = () => { watch.seenAt = []; watch.keysAt = []; };
  addEventListener("keydown", () => watch.keysAt.push(performance.now()), { capture: true });
  window.benchWatch = watch;
  read(performance.now());
})()`;

/** Call it once the desktop is shown. */
export async function startWatching(page: Page): Promise<void> {
  await page.evaluate(WATCH);
}

/** Whether the scene's stamp is on some canvas. */
export function findStamp(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("window.benchWatch.find()");
}

export async function watchFor(page: Page, work: () => Promise<void>): Promise<Watched> {
  await page.evaluate("window.benchWatch.begin()");
  await work();
  return page.evaluate<Watched>("({ seenAt: benchWatch.seenAt, keysAt: benchWatch.keysAt })");
}

/** From each key to the first change after it and before the next key; keys that changed nothing are left out. */
export function delaysOf({ seenAt, keysAt }: Watched): number[] {
  return keysAt.flatMap((key, i) => {
    const next = keysAt[i + 1] ?? Number.POSITIVE_INFINITY;
    const seen = seenAt.find((at) => at > key && at < next);
    return seen === undefined ? [] : [seen - key];
  });
}
