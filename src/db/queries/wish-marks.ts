/** What of a desktop may be wished anew, as one text; the same text as long as nothing was. */

import { sql } from "drizzle-orm";
import { sessions } from "../schema/index.ts";

/** Of `v`, the row of the desktop, and `s`, what `LIVE_SESSION` finds. Names each column that a wish may change. */
export const WISH_MARKS = sql.raw(
  `row(v.epoch, v.wish_generation, v.is_blocked, v.deleted_at, v.di_tag, v.expires_soft_at, v.expires_hard_at,
    s.id, s.state)::text`,
);

/**
 * The sitting of `v`, if there is one. With a limit, so that it is looked up by desktop always: a plan is kept, and one made
 * while a table was empty may read all of it once it has filled.
 */
export const LIVE_SESSION = sql`left join lateral (select * from ${sessions} where vm_id = v.id and ended_at is null
    and superseded_at is null limit 1) s on true`;
