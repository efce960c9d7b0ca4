import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { visits } from "../../db/schema/index.ts";
import type { VisitId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { findVmFor } from "../vm/find.ts";

export const admitVisitInput = z.object({ visitId: idField<VisitId>() });

/**
 * The person at the session says yes to who asks to see it. May be called twice. The database's own function writes it
 * with its audit row: a broker's role can't do the one without the other, nor for whom nobody asks.
 */
export async function admitVisit(context: Context, input: z.input<typeof admitVisitInput>): Promise<void> {
  const { visitId } = parseInput(admitVisitInput, input);
  await change(context, { doing: `answer visit ${visitId}` }, async (inside) => {
    const [visit] = await inside.db.select({ vmId: visits.vmId }).from(visits).where(eq(visits.id, visitId));
    if (visit === undefined) throw new AppError("not-found", "There is no such visit");
    await findVmFor(inside, "session.admit", visit.vmId);
    await inside.db.execute(sql`select qvd_admit_visit(${visitId}, ${inside.origin ?? null})`);
  });
}
