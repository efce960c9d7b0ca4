import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { FORGETTABLE } from "../../db/forgettable.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { nodeReports } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import type { NodeFacts } from "../../domain/node/report.ts";

export type NodeState = "starting" | "running" | "stopping" | "stopped";

/** Writes what this box says of itself. */
export async function reportNode(
  db: Db,
  report: {
    readonly nodeId: NodeId;
    readonly state: NodeState;
    readonly facts: NodeFacts;
    readonly startedAt: Date;
  },
): Promise<void> {
  const { nodeId, state, facts, startedAt } = report;
  await executePrepared(db, STATEMENT, [nodeId, state, JSON.stringify(facts), startedAt.toISOString()]);
}

const STATEMENT = prepared(
  ["int", "text", "text", "timestamptz"],
  sql`insert into ${nodeReports} (node_id, state, facts, started_at) values ($1, $2, $3::jsonb, $4)
    on conflict (node_id) do update set state = excluded.state, facts = excluded.facts,
      started_at = excluded.started_at, reported_at = qvd_now()
    returning ${FORGETTABLE}`,
);
