/** Sees the wish, uttered inside the desktop, that it power off: something written into the request file. */

import { existsSync, rmSync, statSync, watch } from "node:fs";
import { basename } from "node:path";
import type { GuestPlaces } from "./places.ts";

const LOOK_AGAIN_MS = 50;

/** Calls back once; a wish left by an earlier agent counts too. Stop by the returned function. */
export function watchPowerOff(places: GuestPlaces, onRequest: () => void): () => void {
  let isOver = false;
  const look = () => {
    if (isOver || (statSync(places.powerOffRequest, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
    isOver = true;
    rmSync(places.powerOffRequest, { force: true });
    onRequest();
  };
  if (!existsSync(places.folder)) return () => {};
  const watcher = watch(places.folder, { persistent: false }, (_kind, name) => {
    if (name !== basename(places.powerOffRequest)) return;
    look();
    // Opening the file is one notice, writing the wish the next, and Bun may drop that.
    setTimeout(look, LOOK_AGAIN_MS);
  });
  // Without inotify (its instances can run out) the wish is seen at the agent's next start.
  watcher.on("error", () => {});
  look();
  return () => {
    isOver = true;
    watcher.close();
  };
}
