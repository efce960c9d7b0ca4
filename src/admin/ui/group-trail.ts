/** Folds the steps of one sitting, and those of one start or stop, into one entry, so that a trail reads at a glance. */

import { FAULT_CODES, type VmEventCode } from "../../domain/vm/event.ts";

export type TrailGroup<Item> = {
  /** How it ended, or how it is now. */
  readonly last: Item;
  /** What led there, newest first. */
  readonly before: readonly Item[];
};

/** By the step that begins it; a step that is in none of them stands alone. */
const CHAPTERS: Readonly<Partial<Record<VmEventCode, readonly VmEventCode[]>>> = {
  "session-requested": [
    "session-preparing",
    "session-listening",
    "session-connected",
    "session-ended",
    "session-suspended",
    "session-superseded",
  ],
  "start-taken": [
    "image-unpack-started",
    "image-unpack-ended",
    "disks-ready",
    "container-started",
    "agent-connected",
    "desktop-running",
  ],
  "stop-taken": [
    "poweroff-asked",
    "poweroff-answered",
    "poweroff-announced",
    "halt-sent",
    "monitor-terminated",
    "desktop-ended",
    "desktop-stopped",
  ],
};

/**
 * `items` are newest first, and so are the groups. Whatever is wrong stands alone and ends a group, so that
 * no fault is folded away.
 */
export function groupTrail<Item extends { readonly code: string }>(
  items: readonly Item[],
): readonly TrailGroup<Item>[] {
  const groups: Item[][] = [];
  let open: Item[] | undefined;
  for (const item of items) {
    const first = open?.at(0);
    if (open && first && chapterOf(first.code) === chapterOf(item.code)) open.push(item);
    else {
      open = [item];
      groups.push(open);
    }
    // A chapter's first step is its oldest one; what follows here belongs to the one before.
    if (chapterOf(item.code) === undefined || Object.hasOwn(CHAPTERS, item.code)) open = undefined;
  }
  return groups.flatMap(([last, ...before]) => (last ? [{ last, before }] : []));
}

function chapterOf(code: string): string | undefined {
  const known = code as VmEventCode;
  if (FAULT_CODES.has(known)) return undefined;
  if (Object.hasOwn(CHAPTERS, code)) return code;
  return Object.entries(CHAPTERS).find(([, steps]) => steps.includes(known))?.[0];
}
