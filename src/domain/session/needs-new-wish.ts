/** Whether asking for a running desktop is a new wish, or one that is being fulfilled already. */

import type { VmState } from "../vm/state.ts";

export type WishedDesktop = {
  readonly wish: "running" | "stopped";
  readonly wishGeneration: number;
  /** What its node says; undefined before the first report. */
  readonly report: { readonly state: VmState; readonly generationSeen: number } | undefined;
};

/**
 * A desktop that is wished running and yet is stopped, although its node has seen the wish, was given up (its
 * tries are counted per generation): only a new generation makes its node try again.
 */
export function needsNewWish(desktop: WishedDesktop): boolean {
  if (desktop.wish === "stopped") return true;
  const { report } = desktop;
  return (
    report !== undefined && report.state === "stopped" && report.generationSeen >= desktop.wishGeneration
  );
}
