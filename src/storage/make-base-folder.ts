import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { isOnBtrfs, makeSubvolume } from "./btrfs.ts";
import type { StorageContext } from "./storage.ts";

/** An empty folder for an image's tree; on btrfs a subvolume, of which desktops get snapshots. */
export async function makeBaseFolder(context: StorageContext, path: string): Promise<void> {
  if (context.driver === "btrfs" && (await isOnBtrfs(dirname(path)))) await makeSubvolume(path);
  else await mkdir(path, { mode: 0o755 });
}
