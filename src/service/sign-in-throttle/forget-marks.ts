import { inArray, lt, sql } from "drizzle-orm";
import { signInMarks } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

/** By auth, after a success or for an administrator. Returns how many there were. */
export async function forgetMarks(context: Context, ids: readonly string[]): Promise<number> {
  authorize(context, "sign-in.mark", { what: "failures to sign in" });
  return await change(context, { doing: "forget failures to sign in" }, async (inside) => {
    const gone = await inside.db
      .delete(signInMarks)
      .where(inArray(signInMarks.id, [...ids]))
      .returning({ id: signInMarks.id });
    return gone.length;
  });
}

/** By auth, now and then: what has expired. Returns how many went. */
export async function sweepMarks(context: Context): Promise<number> {
  authorize(context, "sign-in.mark", { what: "failures to sign in" });
  return await change(context, { doing: "sweep old failures to sign in" }, async (inside) => {
    const gone = await inside.db
      .delete(signInMarks)
      .where(lt(signInMarks.expiresAt, sql`qvd_now()`))
      .returning({ id: signInMarks.id });
    return gone.length;
  });
}
