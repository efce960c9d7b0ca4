import { closeSync, mkdirSync, openSync } from "node:fs";
import type { DiId } from "../domain/ids.ts";
import type { Layout } from "../domain/node/layout.ts";
import type { Libc } from "./libc.ts";

/**
 * Runs `use` while no other box and no other process works on the file of this image; undefined, at once,
 * when one does. The lock lies beside the images, so that boxes that share them share it, and ends with its
 * holder, however that ends.
 */
export async function tryImageLock<T>(
  { layout, libc }: { readonly layout: Layout; readonly libc: Libc },
  diId: DiId,
  use: () => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  mkdirSync(layout.imagesFolder, { recursive: true });
  const descriptor = openSync(`${layout.imagesFolder}/.${diId}.lock`, "a", 0o600);
  try {
    if (!libc.tryLock(descriptor)) return undefined;
    return { value: await use() };
  } finally {
    closeSync(descriptor);
  }
}
