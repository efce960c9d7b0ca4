/** Failures to sign in as auth counts them, in the database's rows by the service's verbs. */

import { type MarkStore, MOST_LISTED_MARKS } from "../../auth/marks.ts";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { listSignInMarks, readSignInMarks } from "../../db/queries/sign-in-marks.ts";
import type { Context } from "../../service/context.ts";
import { countFailures } from "../../service/sign-in-throttle/count-failures.ts";
import { forgetMarks } from "../../service/sign-in-throttle/forget-marks.ts";
import { noteProved } from "../../service/sign-in-throttle/note-proved.ts";

/** A database that is mute rather than away: a sign-in waits no longer for what slows down others. */
const READ_MS = 5_000;

export function createMarkStore(db: Db, readMs: number = READ_MS): MarkStore {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    read: (ids) => attemptDatabase("read failures to sign in", () => readSignInMarks(db, ids), readMs),
    list: () =>
      attemptDatabase(
        "list failures to sign in",
        async () => await listSignInMarks(db, MOST_LISTED_MARKS),
        readMs,
      ),
    count: (counted) => countFailures(context, counted),
    noteProved: (proved) => noteProved(context, proved),
    forget: (ids) => forgetMarks(context, ids),
  };
}
