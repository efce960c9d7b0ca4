import { readdir, stat } from "node:fs/promises";
import { type DiId, parseId } from "../domain/ids.ts";
import type { Layout } from "../domain/node/layout.ts";

export type BaseEntry = { readonly diId: DiId; readonly changedAt: Date };

/** Images that take room in the bases folder: whole trees, and what a killed unpacking or removal left of one. */
export async function listBases(layout: Layout): Promise<readonly BaseEntry[]> {
  const names = await readdir(layout.basesFolder).catch((): string[] => []);
  const bases = new Map<DiId, BaseEntry>();
  for (const name of names) {
    const diId = parseId<DiId>(/^\.(\d+)\.tmp\./.exec(name)?.[1] ?? name);
    if (diId === undefined) continue;
    const found = await stat(`${layout.basesFolder}/${name}`).catch(() => undefined);
    if (found?.isDirectory() !== true) continue;
    // A tree's own times are those of the image's maker; the change of the inode is when it came here.
    const changedAt = Math.max(found.ctimeMs, bases.get(diId)?.changedAt.getTime() ?? 0);
    bases.set(diId, { diId, changedAt: new Date(changedAt) });
  }
  return [...bases.values()];
}
