import { z } from "zod";
import { ofThing } from "../../db/queries/properties.ts";
import { properties } from "../../db/schema/index.ts";
import { asId, type DiId, type NodeId, type OsfId, type UserId, type VmId } from "../../domain/ids.ts";
import {
  MOST_PROPERTIES,
  MOST_PROPERTY_BYTES,
  MOST_PROPERTY_VALUE,
  type PropertyKind,
} from "../../domain/property/merge.ts";
import { isClientParameter, normalizeClientParameter } from "../../domain/session/client-parameters.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField } from "../input.ts";
import {
  accessSubject,
  findPropertySubject,
  keyField,
  PROPERTY_ACTIONS,
  subjectInput,
} from "./find-subject.ts";

export const setPropertyInput = z.object({
  ...subjectInput,
  key: keyField,
  value: textField(0, MOST_PROPERTY_VALUE),
});

/** Gives a user, desktop, node, OSF or image a property, or the one it has another value. */
export async function setProperty(context: Context, input: z.input<typeof setPropertyInput>): Promise<void> {
  const { kind, id, key, value } = parseInput(setPropertyInput, input);
  refuseBadParameter(key, value);
  await change(context, { doing: `set property ${key} of ${kind} ${id}` }, async (inside) => {
    const subject = await findPropertySubject(inside, { kind, id });
    const action = PROPERTY_ACTIONS[kind];
    authorize(inside, action, accessSubject(subject));
    const rows = await inside.db
      .select({ key: properties.key, value: properties.value })
      .from(properties)
      .where(ofThing(kind, id));
    const known = rows.filter((row) => row.key !== key);
    const bytes = [...known, { key, value }].reduce((sum, one) => sum + sizeOf(one), 0);
    if (bytes > MOST_PROPERTY_BYTES)
      throw new AppError(
        "conflict",
        `the properties of ${kind} ${subject.name} may have ${MOST_PROPERTY_BYTES} bytes in all, and would have ${bytes}`,
      );
    if (known.length >= MOST_PROPERTIES)
      throw new AppError(
        "conflict",
        `${kind} ${subject.name} has ${known.length} properties already, and may have no more`,
      );
    const { userId, vmId, nodeId, osfId, diId } = properties;
    await inside.db
      .insert(properties)
      .values({ ...owner(kind, id), key, value })
      .onConflictDoUpdate({ target: [userId, vmId, nodeId, osfId, diId, properties.key], set: { value } });
    await recordAudit(inside, {
      action,
      ...(subject.tenantId === null ? {} : { tenantId: subject.tenantId }),
      subjectKind: kind,
      subjectId: id,
      subjectName: subject.name,
      detail: { key, value },
    });
  });
}

/** It would be passed over at each session, and nobody would know why. */
function refuseBadParameter(key: string, value: string): void {
  if (!isClientParameter(key) || normalizeClientParameter(key, value) !== undefined) return;
  throw new AppError("bad-input", `value: ${value} is no value of ${key} that a desktop may be told`, {
    field: "value",
  });
}

function sizeOf({ key, value }: { readonly key: string; readonly value: string }): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

function owner(kind: PropertyKind, id: number) {
  switch (kind) {
    case "user":
      return { userId: asId<UserId>(id) };
    case "vm":
      return { vmId: asId<VmId>(id) };
    case "node":
      return { nodeId: asId<NodeId>(id) };
    case "osf":
      return { osfId: asId<OsfId>(id) };
    case "image":
      return { diId: asId<DiId>(id) };
  }
}
