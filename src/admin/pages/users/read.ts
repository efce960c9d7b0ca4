import { readUser, type UserRow } from "../../../db/queries/users.ts";
import type { UserId } from "../../../domain/ids.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext } from "../../env.ts";
import { found, idParam, tenantOf } from "../../visible.ts";

/** The user that the address names, or `not-found`. */
export async function readUserOf(deps: AdminDeps, c: AdminContext): Promise<UserRow> {
  return found(await readUser(deps.db, idParam<UserId>(c, "user"), tenantOf(c)), "user");
}
