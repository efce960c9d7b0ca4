/** /api/v1/properties/:kind/:id: free names and values of a user, vm, osf, image or node. */

import type { Handler } from "hono";
import { listProperties, readVmProperties } from "../../db/queries/properties.ts";
import { asId, type VmId } from "../../domain/ids.ts";
import { setProperty } from "../../service/property/set.ts";
import { unsetProperty } from "../../service/property/unset.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { readPropertyOwner } from "../property-kind.ts";
import { pick, readJson, unparsed } from "./body.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

/** Query `merged=yes`, of a vm: what its hooks get, those of OSF, image and user included. */
export const apiListProperties: Api = (deps) => async (c) => {
  const { kind, id } = await readPropertyOwner(deps, c);
  const isMerged = kind === "vm" && c.req.query("merged") === "yes";
  const { db } = deps;
  return c.json(isMerged ? await readVmProperties(db, asId<VmId>(id)) : await listProperties(db, kind, id));
};

/** Body: `{ "value": "…" }`. */
export const apiSetProperty: Api = (deps) => async (c) => {
  const { kind, id } = await readPropertyOwner(deps, c);
  const fields = pick(await readJson(c), ["value"]);
  await setProperty(contextOf(deps, c), unparsed({ ...fields, kind, id, key: c.req.param("key") }));
  return c.body(null, 204);
};

export const apiUnsetProperty: Api = (deps) => async (c) => {
  const { kind, id } = await readPropertyOwner(deps, c);
  await unsetProperty(contextOf(deps, c), { kind, id, key: c.req.param("key") ?? "" });
  return c.body(null, 204);
};
