/**
 * Gathers what the desktops of one pass have to report, so that it goes to the database in one statement: all
 * that is told in the same turn, and what comes while a statement is on its way goes with the next.
 */

import type { Db } from "../db/client.ts";
import { attemptDatabase } from "../db/errors.ts";
import type { NodeId } from "../domain/ids.ts";
import { isAppError } from "../lib/errors.ts";
import { reportVms, type VmReportWrite } from "./report/report-vms.ts";

export type ReportBatchDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  /** Of the clock that the reports' moments are by. */
  readonly nowMs: () => number;
};

type Waiting = {
  readonly write: VmReportWrite;
  readonly resolve: (wishMarks: string | undefined) => void;
  readonly reject: (error: unknown) => void;
};

/** Rows of one statement; a longer one makes the others wait for it. */
const MOST_ROWS = 500;

export class ReportBatch {
  readonly #deps: ReportBatchDeps;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(deps: ReportBatchDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves once it is written, with the marks of what is wished of the desktop now; undefined when this node no longer
   * owns it. One at a time for each desktop.
   */
  write(write: VmReportWrite): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      if (this.#isWriting) return;
      this.#isWriting = true;
      // By then all desktops of the pass have begun with their steps.
      queueMicrotask(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_ROWS);
      this.#waiting = this.#waiting.slice(MOST_ROWS);
      await this.#writeAll(batch);
    }
    this.#isWriting = false;
  }

  /** Never throws. One row that the database refuses must not silence the others, so they are then tried one by one. */
  async #writeAll(batch: readonly Waiting[]): Promise<void> {
    const { db, nodeId, nowMs } = this.#deps;
    try {
      const writes = batch.map(({ write }) => write);
      const wishMarks = await attemptDatabase(`report ${batch.length} desktops`, () =>
        reportVms(db, writes, { nodeId, nowMs: nowMs() }),
      );
      for (const { write, resolve } of batch) resolve(wishMarks.get(write.vmId));
    } catch (error) {
      const isAway = isAppError(error) && error.code === "database-away";
      if (isAway || batch.length === 1) for (const { reject } of batch) reject(error);
      else for (const one of batch) await this.#writeAll([one]);
    }
  }
}
