/**
 * What is wished anew of a node's desktops since it read them, and nothing of the others: the desktops whose marks are others
 * than those that it remembers. One statement, as a large site asks it a thousand times a second when all starts at once.
 */

import { sql } from "drizzle-orm";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { executePrepared, prepared } from "../prepared.ts";
import { nodes, vms } from "../schema/index.ts";
import { type DesktopRow, type NodeDesktop, selectDesktops, toDesktop } from "./node-desktops.ts";
import { LIVE_SESSION, WISH_MARKS } from "./wish-marks.ts";

export type NodeNews = {
  /** All that are the node's. */
  readonly present: readonly VmId[];
  /** Those of them whose marks, or whose node's drain, are not as known; in the order of their wishes. */
  readonly desktops: readonly NodeDesktop[];
  /** Some desktop, of any node or none, waits for a node to take it. */
  readonly hasUnplaced: boolean;
};

/** `known` are desktops as they were read last; one that is left out is news. Outside of transactions. */
export async function readNodeNews(
  db: Db,
  nodeId: NodeId,
  known: Iterable<Pick<NodeDesktop, "vmId" | "wishMarks" | "drain">>,
): Promise<NodeNews> {
  const marks: Record<string, string> = {};
  for (const { vmId, wishMarks, drain } of known) marks[vmId] = `${drain ?? ""}${wishMarks}`;
  const rows = await executePrepared<NewsRow>(db, NEWS, [nodeId, JSON.stringify(marks)]);
  const desktops = rows.flatMap(({ present, hasUnplaced, place, ...desktop }) =>
    isDesktop(desktop) ? [toDesktop(desktop)] : [],
  );
  return { present: rows[0]?.present ?? [], hasUnplaced: rows[0]?.hasUnplaced ?? false, desktops };
}

/** Without news there is one row, whose part of a desktop is empty. */
type NewsRow = {
  readonly present: readonly VmId[];
  readonly hasUnplaced: boolean;
  readonly place: number;
} & (DesktopRow | { readonly vmId: null });

function isDesktop(row: DesktopRow | { readonly vmId: null }): row is DesktopRow {
  return row.vmId !== null;
}

const NEWS = prepared(
  ["int", "text"],
  sql`
with here as materialized (
  select v.id, v.wished_at, concat(n.drain, ${WISH_MARKS}) is distinct from $2::jsonb ->> v.id::text as is_news
  from ${nodes} n join ${vms} v on v.node_id = n.id ${LIVE_SESSION} where n.id = $1
), news as materialized (
  select id, row_number() over (order by wished_at, id) as place from here where is_news
)
select array_to_json(array(select id from here)) as present,
  exists (select from ${vms} where needs_node) as "hasUnplaced", place::int, d.*
from (values (1)) as once (more) left join (
  news join lateral (${selectDesktops(sql`v.id = news.id limit 1`)}) d on true
) on true
order by place`,
);
