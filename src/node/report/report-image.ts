import { and, eq, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { dis } from "../../db/schema/index.ts";
import type { DiId } from "../../domain/ids.ts";

export type ImageVerdict =
  | { readonly state: "fetching"; readonly doneBytes: number; readonly totalBytes: number | undefined }
  | { readonly state: "verifying" }
  | { readonly state: "ready"; readonly sizeBytes: number; readonly sha256: string }
  | { readonly state: "failed"; readonly fault: string };

/** Writes what an image file was found to be. */
export async function reportImage(db: Db, diId: DiId, verdict: ImageVerdict): Promise<void> {
  await db
    .update(dis)
    .set({
      state: verdict.state,
      stateAt: sql`qvd_now()`,
      fault: verdict.state === "failed" ? verdict.fault : null,
      sizeBytes: verdict.state === "ready" ? verdict.sizeBytes : null,
      sha256: verdict.state === "ready" ? verdict.sha256 : null,
      doneBytes: verdict.state === "fetching" ? verdict.doneBytes : null,
      totalBytes: verdict.state === "fetching" ? (verdict.totalBytes ?? null) : null,
    })
    .where(and(eq(dis.id, diId)));
}
