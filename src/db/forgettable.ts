/** For what may be lost when the database's machine dies, because it is told again within seconds. */

import { sql } from "drizzle-orm";

/**
 * A column that a statement returns: its commit then waits for no disk, whatever else that waits for is written with. Once
 * the statement is done everybody sees what it wrote; after a crash of the server the last half second may be missing.
 */
export const FORGETTABLE = sql`set_config('synchronous_commit', 'off', true) as forgettable`;

/** The same without a name, for a part of an expression. */
export const FORGET = sql`set_config('synchronous_commit', 'off', true)`;
