import { type DesktopRow, readDesktop } from "../../../db/queries/desktops.ts";
import type { VmId } from "../../../domain/ids.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext } from "../../env.ts";
import { found, idParam, tenantOf } from "../../visible.ts";

/** The desktop that the address names, or `not-found`. */
export async function readDesktopOf(deps: AdminDeps, c: AdminContext): Promise<DesktopRow> {
  return found(await readDesktop(deps.db, idParam<VmId>(c, "desktop"), tenantOf(c)), "desktop");
}
