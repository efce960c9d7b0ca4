/**
 * How boxes wake each other. Up to 50 of them by PostgreSQL's notices: each listens, a change is heard at once.
 * Beyond that a notice for everybody, to everybody, would cost more than the work it announces: nobody listens,
 * each box polls its own row each second or two, and who changes something writes into the rows of those whom it
 * concerns. Which it is, each box sees by itself, by the number of nodes. A box that is the only one tells nobody.
 */

import type { Db } from "../db/client.ts";
import { type Listening, listenForNotices } from "../db/listen.ts";
import { notify } from "../db/notify.ts";
import { countNodes, readWakeCount } from "../db/queries/node-wakes.ts";
import type { DatabaseAddress } from "../db/url.ts";
import type { NodeId } from "../domain/ids.ts";
import { systemTimers, type Timers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { formatWake, parseWake, WAKE_TOPICS, type Wake } from "../wire/wake/messages.ts";
import { reportWakes } from "./report/report-wakes.ts";

export const MOST_LISTENERS = 50;
/** A box polls once a second, less often where the site's polls together were more than a thousand a second. */
const POLL_EVERY_MS = 1_000;
const POLL_EVERY_MS_PER_NODE = 1;
const COUNT_EVERY_MS = 60_000;
/** PostgreSQL takes a notice of 8000 bytes; beyond this many wakes one for each topic is cheaper. */
const MOST_NOTICE_WAKES = 40;
const MOST_POLLED_WAKES = 5_000;
const CATCH_UP = WAKE_TOPICS.map((topic) => formatWake({ topic })).join("\n");

export type SiteWakesDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  /** For LISTEN, which needs a connection of its own; undefined where nobody ever listens. */
  readonly listenAddress: DatabaseAddress | undefined;
  /** A notice has come, as `createNotices` takes it. */
  readonly hear: (payload: string) => void;
  /** Something may have been missed. */
  readonly onCatchUp: () => void;
  /** Whether this box is at work on wishes: on a site of more than 1,000 it then asks for more half as often. */
  readonly isBusy?: () => boolean;
  readonly timers?: Timers;
  readonly log: Log;
};

export class SiteWakes {
  readonly #deps: SiteWakesDeps;
  readonly #timers: Timers;
  #isPolling = false;
  #listening: Listening | undefined;
  #seen: number | undefined;
  #isAsking = false;
  #hasSkipped = false;
  #isStopped = false;
  #nodes = 0;
  #isAlone = false;
  #callOffs: readonly (() => void)[] = [];
  #callOffPoll: (() => void) | undefined;

  constructor(deps: SiteWakesDeps) {
    this.#deps = deps;
    this.#timers = deps.timers ?? systemTimers;
  }

  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** As counted last; 0 before. */
  get nodes(): number {
    return this.#nodes;
  }

  /** No other box was counted, and none has been heard of since. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Wakes that one notice names; more become one for each topic. */
  get mostWakes(): number {
    return this.#isPolling ? MOST_POLLED_WAKES : MOST_NOTICE_WAKES;
  }

  async start(): Promise<void> {
    await this.#choose();
    // Boxes that start together don't poll together.
    this.#callOffs = [this.#timers.every(COUNT_EVERY_MS, () => void this.#choose())];
    this.#pollIn(Math.random() * POLL_EVERY_MS);
  }

  #pollIn(ms: number): void {
    if (this.#isStopped) return;
    this.#callOffPoll = this.#timers.after(ms, () => {
      void this.#poll();
      this.#pollIn(Math.max(POLL_EVERY_MS, this.#nodes * POLL_EVERY_MS_PER_NODE));
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const callOff of this.#callOffs) callOff();
    this.#callOffPoll?.();
    await this.#listening?.close();
  }

  /** Tells the other boxes, as `createNotices` asks for it; its failure is of no consequence. */
  send(payload: string): void {
    const { db, nodeId, log } = this.#deps;
    if (this.#isAlone) return;
    const told = this.#isPolling ? reportWakes(db, wakesOf(payload), nodeId) : notify(db, payload);
    told.catch((error) => log.debug("notice-not-sent", { reason: describeError(error) }));
  }

  async #choose(): Promise<void> {
    const { db, listenAddress, log } = this.#deps;
    const count = await countNodes(db).catch((error): undefined => {
      log.debug("nodes-not-counted", { reason: describeError(error) });
      return undefined;
    });
    if (this.#isStopped) return;
    this.#nodes = count ?? this.#nodes;
    if (count !== undefined) this.#isAlone = count === 1;
    if (count !== undefined) this.#isPolling = listenAddress === undefined || count > MOST_LISTENERS;
    if (this.#isPolling && this.#listening !== undefined) {
      const old = this.#listening;
      this.#listening = undefined;
      await old.close();
    } else if (!this.#isPolling && listenAddress !== undefined)
      this.#listening ??= this.#listen(listenAddress);
  }

  #listen(address: DatabaseAddress): Listening {
    const { hear, onCatchUp } = this.#deps;
    return listenForNotices(address, {
      onNotice: (payload) => {
        this.#countIfAlone();
        hear(payload);
      },
      onCatchUp: () => {
        this.#countIfAlone();
        onCatchUp();
      },
    });
  }

  /** Who is alone tells nobody, so that what it hears is another's: boxes tell of themselves when they come. */
  #countIfAlone(): void {
    if (!this.#isAlone) return;
    this.#isAlone = false;
    void this.#choose();
  }

  /**
   * What is wished meanwhile is then begun together, in fewer statements: when the whole site starts its desktops
   * at eight, that is what the database lacks. Never twice in a row.
   */
  #maySkip(): boolean {
    const isLarge = this.#nodes * POLL_EVERY_MS_PER_NODE > POLL_EVERY_MS;
    this.#hasSkipped = isLarge && !this.#hasSkipped && this.#deps.isBusy?.() === true;
    return this.#hasSkipped;
  }

  async #poll(): Promise<void> {
    if (!this.#isPolling || this.#isAsking || this.#maySkip()) return;
    this.#isAsking = true;
    const { db, nodeId, hear, log } = this.#deps;
    try {
      const count = await readWakeCount(db, nodeId);
      if (count !== this.#seen && !this.#isStopped) {
        this.#countIfAlone();
        hear(`polled\n${CATCH_UP}`);
      }
      this.#seen = count;
    } catch (error) {
      log.debug("wakes-not-polled", { reason: describeError(error) });
    }
    this.#isAsking = false;
  }
}

function wakesOf(payload: string): readonly Wake[] {
  const [, ...lines] = payload.split("\n");
  return lines.map(parseWake).filter((wake) => wake !== undefined);
}
