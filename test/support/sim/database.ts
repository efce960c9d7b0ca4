/**
 * A real PostgreSQL whose `qvd_now()` is driven by hand, as each simulated process reaches it: statements of the
 * whole world run one after the other in the order in which they were asked for, so that a scenario is the same
 * each time; and a link can be slow, cut, or find the server away.
 */

import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import { type Db, openClient } from "../../../src/db/client.ts";
import type { DatabaseRole } from "../../../src/db/url.ts";
import type { TestDatabase } from "../cluster.ts";
import { drainMicrotasks, type SimOwner, type SimTime } from "./time.ts";

/** Whoever plays the scenario and looks at it: never late, never without a database. */
export const SPECTATOR = "spectator";

/** The way of one process to the database. */
export type SimLink = { readonly owner: SimOwner; isCut: boolean; readonly db: Db };

/** What a test may do at a statement that contains a text, before or after it. */
export type StatementHook = (owner: SimOwner, text: string, when: "before" | "after") => void;

const CONNECT_TIMEOUT_MS = 5_000;
/** Scenarios begin at this moment. */
export const SIM_EPOCH_MS = Date.UTC(2030, 0, 1);

export class SimDatabase {
  isAway = false;
  slowMs = 0;
  clockOffsetMs = 0;
  onStatement: StatementHook = () => {};
  /** Statements done; grows with each. */
  done = 0;
  readonly #time: () => SimTime;
  readonly #clients: ReadonlyMap<DatabaseRole, postgres.Sql>;
  readonly #sqlNow = new Map<postgres.Sql, number>();
  /** Texts of the statements that the server knows by name. */
  readonly #prepared = new Map<string, string>();
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(database: TestDatabase, time: () => SimTime) {
    this.#time = time;
    const roles: DatabaseRole[] = ["qvd_owner", "qvd_node"];
    this.#clients = new Map(
      roles.map((role) => [role, openClient(database.address(role), { applicationName: `sim ${role}` })]),
    );
  }

  /** Resolves when no statement runs and nobody wants one. */
  async settle(): Promise<void> {
    do {
      await this.#tail;
      await drainMicrotasks();
    } while (this.#pending > 0);
  }

  /** Everything as a new scenario finds it, whatever was played before. */
  async reset(): Promise<void> {
    this.isAway = false;
    this.slowMs = 0;
    this.clockOffsetMs = 0;
    this.onStatement = () => {};
    this.#prepared.clear();
    // Whoever tells the server a statement needs one more, which takes its time where the database is slow.
    for (const client of this.#clients.values()) await this.#inTurn(() => client.unsafe("deallocate all"));
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.end({ timeout: 1 });
  }

  link(owner: SimOwner, role: DatabaseRole): SimLink {
    const client = this.#clients.get(role);
    if (client === undefined) throw new Error(`no link as ${role}`);
    const state = { owner, isCut: false };
    return Object.assign(state, { db: drizzle(this.#wrap(client, state)) as Db });
  }

  /** What drizzle uses of a client, with the world in between. */
  #wrap(client: postgres.Sql, link: Omit<SimLink, "db">): postgres.Sql {
    const unsafe = (text: string, ...rest: unknown[]) => {
      const run = (asRows: boolean) =>
        this.#run(client, { link, text }, () => {
          const query = Reflect.apply(client.unsafe, client, [text, ...rest]);
          return asRows ? query.values() : query;
        });
      return lazy(run);
    };
    const begin = (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
      this.#run(client, { link, text: "begin" }, () => client.begin(work));
    // Drizzle asks for nothing else of a client.
    return { options: client.options, unsafe, begin } as unknown as postgres.Sql;
  }

  async #run(
    client: postgres.Sql,
    what: { readonly link: Omit<SimLink, "db">; readonly text: string },
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const { link, text } = what;
    const time = this.#time();
    if (link.owner.isGone) return await new Promise(() => {});
    if (link.isCut) {
      await time.sleep(link.owner, CONNECT_TIMEOUT_MS);
      if (link.isCut) throw away("CONNECT_TIMEOUT");
    }
    const isSpectator = link.owner.name === SPECTATOR;
    if (this.isAway && !isSpectator) throw away("ECONNREFUSED");
    if (this.slowMs > 0 && !isSpectator) await time.sleep(link.owner, this.slowMs);
    const statement = this.#withoutValues(text);
    this.onStatement(link.owner, statement, "before");
    if (link.owner.isGone) return await new Promise(() => {});
    const answer = await this.#inTurn(async () => {
      if (this.isAway && !isSpectator) throw away("CONNECTION_CLOSED");
      await this.#setNow(client);
      return await work();
    });
    this.onStatement(link.owner, statement, "after");
    if (link.owner.isGone) return await new Promise(() => {});
    return answer;
  }

  /** The statement itself where a prepared one is executed: its values stand in the text, and may read like another. */
  #withoutValues(text: string): string {
    const told =
      /prepare (qvd_\w+)[\s\S]*(?=; execute qvd_)/.exec(text) ?? /prepare (qvd_\w+)[\s\S]*/.exec(text);
    if (told?.[1] !== undefined) this.#prepared.set(told[1], told[0]);
    const executed = /\bexecute (qvd_\w+)/.exec(text)?.[1];
    return executed === undefined ? text : (this.#prepared.get(executed) ?? "");
  }

  async #inTurn(work: () => Promise<unknown>): Promise<unknown> {
    this.#pending++;
    const turn = this.#tail.then(work);
    // Whoever waits for the turn gets its failure; the queue only needs its end.
    this.#tail = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#pending--;
      this.done++;
    }
  }

  async #setNow(client: postgres.Sql): Promise<void> {
    const nowMs = SIM_EPOCH_MS + this.#time().nowMs + this.clockOffsetMs;
    if (this.#sqlNow.get(client) === nowMs) return;
    await client.unsafe("select set_config('qvd.now', $1, false)", [new Date(nowMs).toISOString()]);
    this.#sqlNow.set(client, nowMs);
  }
}

/** Like a query of the driver: sent when it is waited for, as rows or as records. */
function lazy(run: (asRows: boolean) => Promise<unknown>) {
  const thenable = (asRows: boolean) => {
    let sent: Promise<unknown> | undefined;
    const send = () => {
      sent ??= run(asRows);
      return sent;
    };
    return {
      // biome-ignore lint/suspicious/noThenProperty: the driver's queries are thenables too.
      then: (ok?: (value: unknown) => unknown, bad?: (error: unknown) => unknown) => send().then(ok, bad),
      catch: (bad: (error: unknown) => unknown) => send().catch(bad),
      finally: (end: () => void) => send().finally(end),
    };
  };
  return { ...thenable(false), values: () => thenable(true) };
}

function away(code: string): Error {
  return Object.assign(new Error(`the database is away (${code})`), { code });
}
