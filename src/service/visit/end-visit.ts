import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { visits } from "../../db/schema/index.ts";
import type { VisitId } from "../../domain/ids.ts";
import { VISIT_ENDS } from "../../domain/visit/decide-visit-end.ts";
import { AppError } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { auditVm } from "../vm/audit-vm.ts";
import { findVmFor } from "../vm/find.ts";

export const endVisitInput = z.object({
  visitId: idField<VisitId>(),
  cause: z.enum(VISIT_ENDS),
});

/** By the session's owner, who may at any time, or the broker that carries it. May be called twice; the first end counts. */
export async function endVisit(context: Context, input: z.input<typeof endVisitInput>): Promise<void> {
  const { visitId, cause } = parseInput(endVisitInput, input);
  await change(context, { doing: `end visit ${visitId}` }, async (inside) => {
    const [visit] = await inside.db.select({ vmId: visits.vmId }).from(visits).where(eq(visits.id, visitId));
    if (visit === undefined) throw new AppError("not-found", "There is no such visit");
    const vm = await findVmFor(inside, "session.end-visit", visit.vmId);
    const ended = await inside.db
      .update(visits)
      .set({ endedAt: sql`qvd_now()`, endCause: cause })
      .where(and(eq(visits.id, visitId), isNull(visits.endedAt)))
      .returning({ id: visits.id });
    if (ended.length > 0) await auditVm(inside, "session.end-visit", { vm, detail: { visitId, cause } });
  });
}
