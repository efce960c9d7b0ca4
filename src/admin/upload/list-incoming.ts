import { readdir, stat } from "node:fs/promises";
import type { TenantId } from "../../domain/ids.ts";
import { isIncomingOf } from "../../domain/image/incoming-name.ts";

export type IncomingFile = { readonly name: string; readonly sizeBytes: number };

const MOST_FILES = 500;

/** Files that lie in the incoming folder and may be enrolled, by name; with a tenant, by its administrators. Partial uploads don't count. */
export async function listIncoming(folder: string, tenant?: TenantId): Promise<readonly IncomingFile[]> {
  const names = await readdir(folder).catch(() => {
    // No folder yet: nothing was ever uploaded.
    return [];
  });
  const fit = names
    .filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name) && isIncomingOf(name, tenant))
    .sort()
    .slice(0, MOST_FILES);
  const files = await Promise.all(fit.map((name) => describe(folder, name)));
  return files.flatMap((file) => file ?? []);
}

async function describe(folder: string, name: string): Promise<IncomingFile | undefined> {
  try {
    const info = await stat(`${folder}/${name}`);
    return info.isFile() ? { name, sizeBytes: info.size } : undefined;
  } catch {
    // The node took it in between.
    return undefined;
  }
}
