import { and, eq, lt } from "drizzle-orm";
import { secondFactors } from "../../db/schema/index.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";

/** By auth: notes that the code of `step` was shown. False when it, or a later one, was shown before. */
export async function useStep(
  context: Context,
  { secondFactorId, step }: { readonly secondFactorId: number; readonly step: number },
): Promise<boolean> {
  authorize(context, "second-factor.use", { what: "a second factor" });
  return await change(context, { doing: "note a code as used" }, async (inside) => {
    // The condition and the write are one statement: of two that show the same code at once, one is let in.
    const rows = await inside.db
      .update(secondFactors)
      .set({ lastStep: step })
      .where(and(eq(secondFactors.id, secondFactorId), lt(secondFactors.lastStep, step)))
      .returning({ id: secondFactors.id });
    return rows.length === 1;
  });
}
