/** Images from a node's side: what to verify, what to unpack, and what may be thrown away. */

import { and, asc, desc, eq, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { DiId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { auditLog, dis, nodes, osfs } from "../schema/index.ts";

export type UnverifiedImage = {
  readonly id: DiId;
  readonly kind: "archive" | "disk";
  readonly sourceUrl: string | null;
  readonly version: string;
  readonly fileName: string;
  readonly statedSha256: string | null;
  readonly state: "new" | "fetching" | "verifying" | "ready" | "failed";
  /** Since its state changed, by the database's clock. */
  readonly waitedMs: number;
};

/**
 * Oldest first; `verifying` ones too, since the node that was at it may have died. Those that are to be fetched
 * first count once they are.
 */
export async function listUnverifiedImages(db: Db): Promise<readonly UnverifiedImage[]> {
  return await selectImages(db, or(eq(dis.state, "verifying"), and(isNull(dis.sourceUrl), isUnjudged)));
}

/** Images that a node has to fetch, or is fetching; oldest first. */
export async function listUnfetchedImages(db: Db): Promise<readonly UnverifiedImage[]> {
  return await selectImages(db, and(isNotNull(dis.sourceUrl), inArray(dis.state, ["new", "fetching"])));
}

/** As it is now; undefined once it is judged, or gone. */
export async function readUnverifiedImage(db: Db, diId: DiId): Promise<UnverifiedImage | undefined> {
  return (await selectImages(db, and(eq(dis.id, diId), isUnjudged)))[0];
}

const isUnjudged = inArray(dis.state, ["new", "fetching", "verifying"]);

async function selectImages(db: Db, where: SQL | undefined): Promise<readonly UnverifiedImage[]> {
  return await db
    .select({
      id: dis.id,
      kind: dis.kind,
      sourceUrl: dis.sourceUrl,
      waitedMs: sql<number>`(extract(epoch from qvd_now() - ${dis.stateAt}) * 1000)::float8`,
      version: dis.version,
      fileName: dis.fileName,
      statedSha256: dis.statedSha256,
      state: dis.state,
    })
    .from(dis)
    .where(where)
    .orderBy(asc(dis.id))
    .limit(100);
}

export async function countNodes(db: Db): Promise<number> {
  return await db.$count(nodes);
}

/** Every image that there is: files and base trees of others are rubbish. */
export async function listImageIds(db: Db): Promise<ReadonlySet<DiId>> {
  const rows = await db.select({ id: dis.id }).from(dis);
  return new Set(rows.map((row) => row.id));
}

/** Names of the files that have yet to be taken in. */
export async function listAwaitedFiles(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db
    .select({ fileName: dis.fileName })
    .from(dis)
    .where(inArray(dis.state, ["new", "fetching", "verifying"]));
  return new Set(rows.map((row) => row.fileName));
}

export type ReadyImage = {
  readonly id: DiId;
  readonly osf: string;
  readonly version: string;
  readonly fileName: string;
};

/** Archives that desktops may start from; the newest first, since it is the one that is asked for next. */
export async function listReadyImages(db: Db): Promise<readonly ReadyImage[]> {
  return await db
    .select({ id: dis.id, osf: osfs.name, version: dis.version, fileName: dis.fileName })
    .from(dis)
    .innerJoin(osfs, eq(osfs.id, dis.osfId))
    .where(
      and(
        ...[eq(dis.state, "ready"), eq(dis.isBlocked, false)],
        // A disk is used as it is, and nobody starts from what is retired.
        ...[eq(dis.kind, "archive"), isNull(dis.retiredAt)],
      ),
    )
    .orderBy(desc(dis.id));
}

export type DeletedImage = { readonly fileName: string | undefined; readonly deletedMs: number };

/** Those of `ids` that somebody deleted from this very database, with the names of their files and how long ago. */
export async function listDeletedImages(
  db: Db,
  ids: readonly DiId[],
): Promise<ReadonlyMap<DiId, DeletedImage>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({
      id: sql<DiId>`${auditLog.subjectId}::int`,
      fileName: sql<string | null>`${auditLog.detail} ->> 'fileName'`,
      deletedMs: sql<number>`(extract(epoch from qvd_now() - ${auditLog.at}) * 1000)::float8`,
    })
    .from(auditLog)
    .where(
      and(
        eq(auditLog.subjectKind, "image"),
        inArray(auditLog.subjectId, [...ids]),
        eq(auditLog.action, "image.delete"),
      ),
    );
  return new Map(
    rows.map(({ id, fileName, deletedMs }) => [id, { fileName: fileName ?? undefined, deletedMs }]),
  );
}
