/**
 * What every verb of the service layer gets, and the frame in which it runs: one transaction that holds the
 * rights check, the wish, its audit row and its line of the trail, or none of them. A verb may call another
 * with the context it was given inside; both then stand or fall together.
 */

import type { Db } from "../db/client.ts";
import { attemptDatabase, brokenConstraint } from "../db/errors.ts";
import type { Actor } from "../domain/access/actor.ts";
import { AppError } from "../lib/errors.ts";

/** `db` is a database outside and the transaction inside `change`. */
export type Context = {
  readonly db: Db;
  readonly actor: Actor;
  /** Where the request came from, such as a network address; for the audit log. */
  readonly origin?: string;
};

/** What to say when a write breaks a constraint, by the constraint's name. */
export type Conflicts = Readonly<Record<string, { readonly message: string; readonly field?: string }>>;

/**
 * Runs `work` in a transaction. `doing` names the attempt ("create user anna"). A broken constraint named in
 * `conflicts` becomes a `conflict`; a database that is away becomes `database-away`, and nothing was written.
 */
export async function change<T>(
  context: Context,
  options: { readonly doing: string; readonly conflicts?: Conflicts },
  work: (inside: Context) => Promise<T>,
): Promise<T> {
  try {
    return await attemptDatabase(options.doing, () =>
      context.db.transaction((tx) => work({ ...context, db: tx })),
    );
  } catch (error) {
    const conflict = options.conflicts?.[brokenConstraint(error) ?? ""];
    if (conflict === undefined) throw error;
    throw new AppError("conflict", conflict.message, {
      cause: error,
      ...(conflict.field === undefined ? {} : { field: conflict.field }),
    });
  }
}
