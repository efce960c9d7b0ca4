/** Failures to sign in as auth counts them, in the database's rows by the service's verbs. */

import type { MarkStore } from "../../auth/marks.ts";
import type { Db } from "../../db/client.ts";
import { listSignInMarks, readSignInMarks } from "../../db/queries/sign-in-marks.ts";
import type { Context } from "../../service/context.ts";
import { countFailures } from "../../service/sign-in-throttle/count-failures.ts";
import { forgetMarks } from "../../service/sign-in-throttle/forget-marks.ts";
import { noteProved } from "../../service/sign-in-throttle/note-proved.ts";

export function createMarkStore(db: Db): MarkStore {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    read: (ids) => readSignInMarks(db, ids),
    list: () => listSignInMarks(db),
    count: (counted) => countFailures(context, counted),
    noteProved: (proved) => noteProved(context, proved),
    forget: (ids) => forgetMarks(context, ids),
  };
}
