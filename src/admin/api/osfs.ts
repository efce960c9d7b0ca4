/** /api/v1/osfs */

import type { Handler } from "hono";
import { listOsfs, readOsf } from "../../db/queries/osfs.ts";
import type { OsfId } from "../../domain/ids.ts";
import { changeOsf } from "../../service/osf/change.ts";
import { createOsf } from "../../service/osf/create.ts";
import { deleteOsf } from "../../service/osf/delete.ts";
import { OSF_POLICY_NAMES } from "../../service/osf/policy-input.ts";
import { rehearse } from "../../service/rehearse.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { type Fields, pick, readJson, unparsed } from "./body.ts";
import { answerPage, isTrial, pageOfAll, readListQuery } from "./list.ts";
import { chooseTenant } from "./tenant.ts";
import { osfShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListOsfs: Api = (deps) => async (c) => {
  const query = readListQuery(c);
  const osfs = await listOsfs(deps.db, { tenantId: tenantOf(c) });
  const wanted = query.search.toLowerCase();
  const matching = osfs.filter((osf) => osf.name.toLowerCase().includes(wanted));
  return answerPage(c, pageOfAll(matching, query), osfShape);
};

export const apiShowOsf: Api = (deps) => async (c) => {
  const osf = await readOsf(deps.db, idParam<OsfId>(c, "OSF"), tenantOf(c));
  return c.json(osfShape(found(osf, "OSF")));
};

export const apiCreateOsf: Api = (deps) => async (c) => {
  const body = await readJson(c);
  const tenantId = await chooseTenant(deps, c, body.tenant);
  const fields = pickOsf(body);
  const { osfId } = await createOsf(contextOf(deps, c), unparsed({ ...fields, tenantId }));
  deps.live.notice();
  return c.json(osfShape(found(await readOsf(deps.db, osfId), "OSF")), 201);
};

export const apiChangeOsf: Api = (deps) => async (c) => {
  const osfId = idParam<OsfId>(c, "OSF");
  const fields = pickOsf(await readJson(c));
  await changeOsf(contextOf(deps, c), unparsed({ ...fields, osfId }));
  deps.live.notice();
  return c.json(osfShape(found(await readOsf(deps.db, osfId), "OSF")));
};

export const apiDeleteOsf: Api = (deps) => async (c) => {
  const osfId = idParam<OsfId>(c, "OSF");
  if (isTrial(c)) await rehearse(contextOf(deps, c), (inside) => deleteOsf(inside, { osfId }));
  else {
    await deleteOsf(contextOf(deps, c), { osfId });
    deps.live.notice();
  }
  return c.body(null, 204);
};

/** Of what an OSF promises, null says "none": it takes a limit or a time away. */
function pickOsf(body: Fields): Fields {
  const emptied = OSF_POLICY_NAMES.filter((name) => body[name] === null).map((name) => [name, null]);
  return { ...pick(body, ["name", "memoryMb", "cpus", ...OSF_POLICY_NAMES]), ...Object.fromEntries(emptied) };
}
