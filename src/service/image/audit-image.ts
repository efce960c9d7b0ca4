import type { Action } from "../../domain/access/action.ts";
import { recordAudit } from "../audit.ts";
import type { Context } from "../context.ts";
import type { FoundImage } from "./find.ts";

/** The audit row of a change to an image. */
export function auditImage(
  inside: Context,
  action: Action,
  about: {
    readonly image: Pick<FoundImage, "id" | "tenantId" | "version" | "osfName">;
    readonly detail?: Record<string, unknown>;
  },
): Promise<void> {
  const { image, detail } = about;
  return recordAudit(inside, {
    action,
    tenantId: image.tenantId,
    subjectKind: "image",
    subjectId: image.id,
    subjectName: `${image.osfName} ${image.version}`,
    ...(detail === undefined ? {} : { detail }),
  });
}
