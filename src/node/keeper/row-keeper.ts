/**
 * The keeper's one connection to the database. A server behind a cut network leaves a query without an answer
 * for minutes; then the connection is given up and the next renewal takes a new one, so that the first try after
 * the network's return counts.
 */

import type { Database } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { readOwnNodeId } from "../../db/queries/nodes.ts";
import type { NodeId } from "../../domain/ids.ts";
import type { LeaseTimes } from "../../domain/node/lease-times.ts";
import { isAppError } from "../../lib/errors.ts";
import { type LeaseRow, type RowRenewal, readOrMakeRow, renewRow, retakeRow } from "../lease/row.ts";

export type RowKeeper = {
  /** A box that was refused its name keeps nothing: the right of that name is another box's. */
  findNode(name: string, boxId: string): Promise<NodeId | undefined>;
  read(nodeId: NodeId): Promise<LeaseRow>;
  renew(nodeId: NodeId, epoch: number, fences: boolean): Promise<RowRenewal>;
  retake(nodeId: NodeId): Promise<number | undefined>;
  close(): Promise<void>;
};

export function createRowKeeper(open: () => Database, times: LeaseTimes): RowKeeper {
  const { validMs } = times;
  const timeoutMs = Math.max(1_000, times.rowEveryMs);
  let database = open();
  const ask = async <T>(doing: string, query: (db: Database["orm"]) => Promise<T>): Promise<T> => {
    try {
      return await attemptDatabase(doing, () => query(database.orm), timeoutMs);
    } catch (error) {
      if (isAppError(error) && error.code === "database-away") {
        const old = database;
        database = open();
        // Ends when its last query does, which nobody waits for.
        void old.close().catch(() => {});
      }
      throw error;
    }
  };
  return {
    findNode: (name, boxId) => ask("look up the node", (db) => readOwnNodeId(db, name, boxId)),
    read: (nodeId) => ask("read the lease", (db) => readOrMakeRow(db, nodeId, validMs)),
    renew: (nodeId, epoch, fences) =>
      ask("renew the lease", (db) => renewRow(db, { nodeId, epoch, validMs, fences })),
    retake: (nodeId) => ask("take the lease anew", (db) => retakeRow(db, nodeId, validMs)),
    close: () => database.close(),
  };
}
