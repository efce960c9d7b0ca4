import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { ofThing } from "../../db/queries/properties.ts";
import { properties } from "../../db/schema/index.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput } from "../input.ts";
import {
  accessSubject,
  findPropertySubject,
  keyField,
  PROPERTY_ACTIONS,
  subjectInput,
} from "./find-subject.ts";

export const unsetPropertyInput = z.object({ ...subjectInput, key: keyField });

export async function unsetProperty(
  context: Context,
  input: z.input<typeof unsetPropertyInput>,
): Promise<void> {
  const { kind, id, key } = parseInput(unsetPropertyInput, input);
  await change(context, { doing: `remove property ${key} of ${kind} ${id}` }, async (inside) => {
    const subject = await findPropertySubject(inside, { kind, id });
    const action = PROPERTY_ACTIONS[kind];
    authorize(inside, action, accessSubject(subject));
    const gone = await inside.db
      .delete(properties)
      .where(and(ofThing(kind, id), eq(properties.key, key)))
      .returning({ id: properties.id });
    if (gone.length === 0) throw new AppError("not-found", `${kind} ${subject.name} has no property ${key}`);
    await recordAudit(inside, {
      action,
      ...(subject.tenantId === null ? {} : { tenantId: subject.tenantId }),
      subjectKind: kind,
      subjectId: id,
      subjectName: subject.name,
      detail: { key, isUnset: true },
    });
  });
}
