import { asc, inArray } from "drizzle-orm";
import type { DiId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { dis } from "../schema/index.ts";

export type PendingImage = {
  readonly id: DiId;
  readonly fileName: string;
  readonly statedSha256: string | null;
};

/** Images that no node has judged yet, oldest first. */
export async function listPendingImages(db: Db): Promise<readonly PendingImage[]> {
  return await db
    .select({ id: dis.id, fileName: dis.fileName, statedSha256: dis.statedSha256 })
    .from(dis)
    .where(inArray(dis.state, ["new", "verifying"]))
    .orderBy(asc(dis.id));
}
