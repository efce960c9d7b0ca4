import { sql } from "drizzle-orm";
import { signInMarks } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

export type CountedFailure = {
  readonly id: string;
  readonly lane: (typeof signInMarks.lane.enumValues)[number];
  readonly key: string;
  readonly failures: number;
  /** From now until they are forgotten. */
  readonly memoryMs: number;
};

/** By auth: adds to what the site has counted, and returns that. A row that has expired begins anew. */
export async function countFailures(
  context: Context,
  counted: readonly CountedFailure[],
): Promise<readonly { readonly id: string; readonly failures: number }[]> {
  authorize(context, "sign-in.mark", { what: "failures to sign in" });
  // In one order everywhere, or two boxes would wait for each other's rows.
  const rows = [...counted].sort((one, other) => (one.id < other.id ? -1 : 1));
  if (rows.length === 0) return [];
  return await change(context, { doing: "count failures to sign in" }, (inside) =>
    inside.db
      .insert(signInMarks)
      .values(
        rows.map(({ memoryMs, ...row }) => ({
          ...row,
          expiresAt: sql`qvd_now() + ${memoryMs}::float8 * interval '1 millisecond'`,
        })),
      )
      .onConflictDoUpdate({
        target: signInMarks.id,
        set: {
          failures: sql`excluded.failures + case when ${signInMarks.expiresAt} > qvd_now() then ${signInMarks.failures} else 0 end`,
          lastAt: sql`qvd_now()`,
          expiresAt: sql`excluded.expires_at`,
        },
      })
      .returning({ id: signInMarks.id, failures: signInMarks.failures }),
  );
}
