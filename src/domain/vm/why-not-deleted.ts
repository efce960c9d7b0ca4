import type { VmState } from "./state.ts";

export type Deletable = { readonly wish: "running" | "stopped"; readonly state: VmState };

/** The end of a sentence about a desktop that can't be deleted yet, and what to do; undefined of one that can. Pure. */
export function whyNotDeleted({ wish, state }: Deletable): string | undefined {
  if (wish === "stopped")
    return state === "stopped" ? undefined : "is still going down; delete it once it is stopped";
  const isDown = state === "stopped";
  return `${isDown ? "is stopped, but somebody wants it to run" : "is not stopped"}; stop it first, then delete it`;
}
