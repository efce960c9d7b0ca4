import { type ImageRow, readImage } from "../../../db/queries/images.ts";
import type { DiId } from "../../../domain/ids.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext } from "../../env.ts";
import { found, idParam, tenantOf } from "../../visible.ts";

/** The image that the address names, or `not-found`. */
export async function readImageOf(deps: AdminDeps, c: AdminContext): Promise<ImageRow> {
  return found(await readImage(deps.db, idParam<DiId>(c, "image"), tenantOf(c)), "image");
}
