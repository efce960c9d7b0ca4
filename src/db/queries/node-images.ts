/** Images from a node's side: what to verify, and what may be thrown away. */

import { asc, inArray } from "drizzle-orm";
import type { DiId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { dis } from "../schema/index.ts";

export type UnverifiedImage = {
  readonly id: DiId;
  readonly version: string;
  readonly fileName: string;
  readonly statedSha256: string | null;
  readonly state: "new" | "verifying" | "ready" | "failed";
};

/** Oldest first; `verifying` ones too, since the node that was at it may have died. */
export async function listUnverifiedImages(db: Db): Promise<readonly UnverifiedImage[]> {
  return await db
    .select({
      id: dis.id,
      version: dis.version,
      fileName: dis.fileName,
      statedSha256: dis.statedSha256,
      state: dis.state,
    })
    .from(dis)
    .where(inArray(dis.state, ["new", "verifying"]))
    .orderBy(asc(dis.id))
    .limit(100);
}

/** Every image that there is: files and base trees of others are rubbish. */
export async function listImageIds(db: Db): Promise<ReadonlySet<DiId>> {
  const rows = await db.select({ id: dis.id }).from(dis);
  return new Set(rows.map((row) => row.id));
}
