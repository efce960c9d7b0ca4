import { rm } from "node:fs/promises";

/**
 * Takes away what a killed X server left of this display (`:87`), which nobody may serve now: no other starts there
 * once any process has the number of the one that was killed.
 */
export async function removeLeftDisplay(display: string): Promise<void> {
  const number = display.slice(1);
  for (const path of [`/tmp/.X${number}-lock`, `/tmp/.X11-unix/X${number}`]) await rm(path, { force: true });
}
