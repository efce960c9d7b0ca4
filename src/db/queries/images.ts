/** Images with their tags. */

import { and, asc, desc, eq, or, type SQL, sql } from "drizzle-orm";
import { hideImagePaths } from "../../domain/access/hide-paths.ts";
import type { DiId, OsfId, TenantId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { dis, diTags, osfs, tenants, vmReports } from "../schema/index.ts";
import { contains, type Page, type PageRequest, pageBounds, pageOf } from "./page.ts";

export type ImageFilter = {
  /** Undefined means every tenant. Who asks for one is not told where files lie on boxes. */
  readonly tenantId?: TenantId | undefined;
  readonly osfId?: OsfId | undefined;
  /** Part of the version, the OSF's name or the file name. */
  readonly search?: string | undefined;
};

export type ImageTag = { readonly tag: string; readonly isFixed: boolean };
export type ImageRow = Awaited<ReturnType<typeof selectImages>>[number];

/** By OSF, newest first. */
export async function listImages(db: Db, filter: ImageFilter, request: PageRequest): Promise<Page<ImageRow>> {
  const where = matching(filter);
  const { limit, offset } = pageBounds(request);
  const items = await selectImages(db, where)
    .orderBy(asc(osfs.name), desc(dis.id))
    .limit(limit)
    .offset(offset);
  const [counted] = await db
    .select({ total: sql<number>`count(*)::int` })
    .from(dis)
    .innerJoin(osfs, eq(osfs.id, dis.osfId))
    .where(where);
  const told = items.map((row) => toldOf(row, filter.tenantId));
  return pageOf(request, told, counted?.total ?? 0);
}

export async function readImage(db: Db, diId: DiId, tenantId?: TenantId): Promise<ImageRow | undefined> {
  const [row] = await selectImages(db, and(matching({ tenantId }), eq(dis.id, diId)));
  return row && toldOf(row, tenantId);
}

function toldOf(row: ImageRow, tenantId: TenantId | undefined): ImageRow {
  return tenantId === undefined || row.fault === null ? row : { ...row, fault: hideImagePaths(row.fault) };
}

function selectImages(db: Db, where: SQL | undefined) {
  const tags = sql<ImageTag[]>`coalesce((
    select jsonb_agg(jsonb_build_object('tag', ${diTags.tag}, 'isFixed', ${diTags.isFixed})
      order by ${diTags.isFixed}, ${diTags.tag}) from ${diTags} where ${diTags.diId} = ${dis.id}), '[]')`;
  const running = sql<number>`(select count(*)::int from ${vmReports}
    where ${vmReports.diId} = ${dis.id} and ${vmReports.state} <> 'stopped')`;
  return db
    .select({
      id: dis.id,
      osfId: dis.osfId,
      osf: osfs.name,
      tenantId: osfs.tenantId,
      tenant: tenants.name,
      version: dis.version,
      fileName: dis.fileName,
      isBlocked: dis.isBlocked,
      createdAt: dis.createdAt,
      state: dis.state,
      stateAt: dis.stateAt,
      fault: dis.fault,
      sizeBytes: dis.sizeBytes,
      sha256: dis.sha256,
      statedSha256: dis.statedSha256,
      kind: dis.kind,
      sourceUrl: dis.sourceUrl,
      publishedAt: dis.publishedAt,
      retiredAt: dis.retiredAt,
      doneBytes: dis.doneBytes,
      totalBytes: dis.totalBytes,
      tags,
      /** Desktops that run on it now. */
      running,
    })
    .from(dis)
    .innerJoin(osfs, eq(osfs.id, dis.osfId))
    .innerJoin(tenants, eq(tenants.id, osfs.tenantId))
    .where(where);
}

function matching({ tenantId, osfId, search = "" }: ImageFilter): SQL | undefined {
  const text = search.trim();
  return and(
    tenantId === undefined ? undefined : eq(osfs.tenantId, tenantId),
    osfId === undefined ? undefined : eq(dis.osfId, osfId),
    text === ""
      ? undefined
      : or(contains(dis.version, text), contains(osfs.name, text), contains(dis.fileName, text)),
  );
}
