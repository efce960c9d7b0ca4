import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { visits } from "../../db/schema/index.ts";
import type { VisitId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { findVmFor } from "../vm/find.ts";

export const admitVisitInput = z.object({ visitId: idField<VisitId>() });

/** The person at the session says yes to who asks to see it. May be called twice. */
export async function admitVisit(context: Context, input: z.input<typeof admitVisitInput>): Promise<void> {
  const { visitId } = parseInput(admitVisitInput, input);
  await change(context, { doing: `answer visit ${visitId}` }, async (inside) => {
    const [visit] = await inside.db.select().from(visits).where(eq(visits.id, visitId));
    if (visit === undefined) throw new AppError("not-found", "There is no such visit");
    const vm = await findVmFor(inside, "session.admit", visit.vmId);
    const admitted = await inside.db
      .update(visits)
      .set({ admittedAt: sql`qvd_now()` })
      .where(and(eq(visits.id, visitId), isNull(visits.endedAt), isNull(visits.admittedAt)))
      .returning({ id: visits.id });
    if (admitted.length > 0) await auditVm(inside, "session.admit", { vm, detail: { visitId } });
  });
}
