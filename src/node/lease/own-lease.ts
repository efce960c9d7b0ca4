/**
 * The right to run of a node that keeps it by itself, without a keeper and without shared storage: nobody can
 * take over from it, so its row is only shown. Simulated boxes and tests of single ones have it.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { FORGETTABLE } from "../../db/forgettable.ts";
import { executePrepared, prepared } from "../../db/prepared.ts";
import { leases } from "../../db/schema/index.ts";
import type { NodeId } from "../../domain/ids.ts";
import { systemTimers, type Timers } from "../../lib/clock.ts";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { LeaseState, NodeLease } from "./node-lease.ts";

export const LEASE_RENEW_MS = 3_000;
const VALID = sql`interval '10 seconds'`;
const RENEW = prepared(
  ["int", "bigint"],
  sql`update ${leases} set renewed_at = qvd_now(), valid_until = qvd_now() + ${VALID}
    where node_id = $1 and epoch = $2 returning node_id, ${FORGETTABLE}`,
);

export class OwnLease implements NodeLease {
  readonly #db: Db;
  readonly #nodeId: NodeId;
  readonly #log: Log;
  readonly #nowMs: () => number;
  #epoch = 0;
  #isHeld = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  readonly #timers: Timers;
  #endRenewing: (() => void) | undefined;
  #isLate = false;

  constructor(
    of: { readonly db: Db; readonly nodeId: NodeId; readonly timers?: Timers },
    log: Log,
    nowMs: () => number,
  ) {
    this.#db = of.db;
    this.#nodeId = of.nodeId;
    this.#timers = of.timers ?? systemTimers;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  get state(): LeaseState {
    return {
      epoch: this.#epoch,
      isHeld: this.#isHeld,
      phase: this.#isHeld ? "held" : "lost",
      fences: false,
      rowAgeMs: this.#nowMs() - this.#renewedAtMs,
      counterAgeMs: null,
      trouble: "",
    };
  }

  /** Takes the row as it is, under the epoch that it has, and keeps it renewed until `stop`. */
  async start(): Promise<void> {
    const rows = await this.#db.execute<{ epoch: string | number }>(sql`
      insert into ${leases} (node_id, valid_until) values (${this.#nodeId}, qvd_now() + ${VALID})
      on conflict (node_id) do update set renewed_at = qvd_now(), valid_until = qvd_now() + ${VALID}
      returning epoch`);
    this.#epoch = Number(rows[0]?.epoch ?? 1);
    this.#isHeld = true;
    this.#renewedAtMs = this.#nowMs();
    this.#endRenewing = this.#timers.every(LEASE_RENEW_MS, () => void this.#renew());
  }

  stop(): void {
    this.#endRenewing?.();
  }

  async #renew(): Promise<void> {
    if (this.#isLate) return;
    this.#isLate = true;
    try {
      const rows = await executePrepared(this.#db, RENEW, [this.#nodeId, this.#epoch]);
      const isHeld = rows.length > 0;
      if (!isHeld && this.#isHeld) this.#log.error("lease-lost", { epoch: this.#epoch });
      this.#isHeld = isHeld;
      this.#renewedAtMs = this.#nowMs();
    } catch (error) {
      // The loop tells of a database that is away; here it only means that the row is older.
      this.#log.debug("lease-not-renewed", { reason: describeError(error) });
    }
    this.#isLate = false;
  }
}
