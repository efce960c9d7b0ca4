/** What a running box says of itself to whoever started it, and which processes the next `box run` finds again. */

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Layout } from "../../domain/node/layout.ts";

const Process = z.object({
  name: z.string(),
  pid: z.number(),
  startTicks: z.number(),
  startedAtMs: z.number(),
  restarts: z.number(),
  /** Of executable and settings that it was started with: by it the next `box run` leaves alone what is as it should be. */
  fingerprint: z.string().optional(),
});

export const BoxStatus = z.object({
  state: z.enum(["starting", "ready", "stopping", "stopped", "failed"]),
  /** For a person: what happens, or what went wrong. */
  text: z.string(),
  box: z.object({ pid: z.number(), startTicks: z.number() }).nullable(),
  processes: z.array(Process),
});
export type BoxStatus = z.infer<typeof BoxStatus>;

export function boxStatusFile(layout: Layout): string {
  return `${layout.runFolder}/box.json`;
}

export function writeBoxStatus(layout: Layout, status: BoxStatus): void {
  const path = boxStatusFile(layout);
  writeFileSync(`${path}.new`, `${JSON.stringify(status, null, 2)}\n`, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

/** Undefined when there is none that we understand: then nothing is found again. */
export function readBoxStatus(layout: Layout): BoxStatus | undefined {
  try {
    return BoxStatus.parse(JSON.parse(readFileSync(boxStatusFile(layout), "utf8")));
  } catch {
    // Missing, cut, or of another version: as if there were none.
    return undefined;
  }
}
