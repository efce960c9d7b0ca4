import { sql } from "drizzle-orm";
import { signInMarks } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import type { CountedFailure } from "./count-failures.ts";

/** By auth: somebody has just proved to be whom a mark of theirs names, and nobody need ask for a while. */
export async function noteProved(
  context: Context,
  { id, key, memoryMs }: Pick<CountedFailure, "id" | "key" | "memoryMs">,
): Promise<void> {
  authorize(context, "sign-in.mark", { what: "who proved themselves" });
  const expiresAt = sql`qvd_now() + ${memoryMs}::float8 * interval '1 millisecond'`;
  await change(context, { doing: "note who proved themselves" }, (inside) =>
    inside.db
      .insert(signInMarks)
      .values({ id, lane: "proved", key, failures: 0, expiresAt })
      .onConflictDoUpdate({ target: signInMarks.id, set: { lastAt: sql`qvd_now()`, expiresAt } }),
  );
}
