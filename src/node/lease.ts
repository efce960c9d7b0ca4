/**
 * The right of this box to run desktops: a row valid by the database's clock, renewed every 3 s for 10 s. With
 * a single registered node there is nobody to hand over to, so once taken it doesn't lapse while the database
 * is away; an epoch that has moved on means that another took over, and then nothing more is started here.
 */

import { sql } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { leases } from "../db/schema/index.ts";
import type { NodeId } from "../domain/ids.ts";
import { systemTimers, type Timers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

export const LEASE_RENEW_MS = 3_000;
const VALID = sql`interval '10 seconds'`;

export type LeaseState = {
  readonly epoch: number;
  readonly isHeld: boolean;
  /** By the caller's monotonic clock; when the row was last renewed. */
  readonly renewedAtMs: number;
};

export class Lease {
  readonly #db: Db;
  readonly #nodeId: NodeId;
  readonly #log: Log;
  readonly #nowMs: () => number;
  #state: LeaseState = { epoch: 0, isHeld: false, renewedAtMs: Number.NEGATIVE_INFINITY };
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
    return this.#state;
  }

  /** Takes the row as it is, under the epoch that it has, and keeps it renewed until `stop`. */
  async start(): Promise<void> {
    const rows = await this.#db.execute<{ epoch: string | number }>(sql`
      insert into ${leases} (node_id, valid_until) values (${this.#nodeId}, qvd_now() + ${VALID})
      on conflict (node_id) do update set renewed_at = qvd_now(), valid_until = qvd_now() + ${VALID}
      returning epoch`);
    this.#state = { epoch: Number(rows[0]?.epoch ?? 1), isHeld: true, renewedAtMs: this.#nowMs() };
    this.#endRenewing = this.#timers.every(LEASE_RENEW_MS, () => void this.#renew());
  }

  stop(): void {
    this.#endRenewing?.();
  }

  async #renew(): Promise<void> {
    if (this.#isLate) return;
    this.#isLate = true;
    try {
      const rows = await this.#db.execute(sql`
        update ${leases} set renewed_at = qvd_now(), valid_until = qvd_now() + ${VALID}
        where node_id = ${this.#nodeId} and epoch = ${this.#state.epoch} returning node_id`);
      const isHeld = rows.length > 0;
      if (!isHeld && this.#state.isHeld) this.#log.error("lease-lost", { epoch: this.#state.epoch });
      this.#state = { ...this.#state, isHeld, renewedAtMs: this.#nowMs() };
    } catch (error) {
      // The loop tells of a database that is away; here it only means that the row is older.
      this.#log.debug("lease-not-renewed", { reason: describeError(error) });
    }
    this.#isLate = false;
  }
}
