/** /api/v1/vms */

import type { Handler } from "hono";
import { listDesktops, readDesktop } from "../../db/queries/desktops.ts";
import { listTrail } from "../../db/queries/trail.ts";
import { parseId, type UserId, type VmId } from "../../domain/ids.ts";
import { eventTextFor } from "../../domain/vm/event-text.ts";
import { VM_STATES, type VmState } from "../../domain/vm/state.ts";
import { AppError } from "../../lib/errors.ts";
import type { Context } from "../../service/context.ts";
import { rehearse } from "../../service/rehearse.ts";
import { wishSessionEnd } from "../../service/session/wish-end.ts";
import { blockVm } from "../../service/vm/block.ts";
import { changeVm } from "../../service/vm/change.ts";
import { createVm } from "../../service/vm/create.ts";
import { deleteVm } from "../../service/vm/delete.ts";
import { unblockVm } from "../../service/vm/unblock.ts";
import { wishVmStopped } from "../../service/vm/wish-stopped.ts";
import { parseStateGroup, STATE_GROUPS, statesOf } from "../../ui/vm-state.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { startDesktop } from "../pages/desktops/start-desktop.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { pick, readJson, readOptionalJson, unparsed } from "./body.ts";
import { answerPage, isTrial, readListQuery } from "./list.ts";
import { eventShape, vmShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListVms: Api = (deps) => async (c) => {
  const query = readListQuery(c);
  const filter = {
    tenantId: tenantOf(c),
    search: query.search,
    states: statesFilter(c.req.query("state")),
    userId: userFilter(c.req.query("user")),
  };
  return answerPage(c, await listDesktops(deps.db, filter, query), vmShape);
};

export const apiShowVm: Api = (deps) => async (c) => c.json(vmShape(await readVm(deps, c)));

export const apiShowTrail: Api = (deps) => async (c) => {
  const vm = await readVm(deps, c);
  const { pageSize } = readListQuery(c);
  const before = Number(c.req.query("before"));
  const beforeId = Number.isInteger(before) && before > 0 ? before : undefined;
  const items = (await listTrail(deps.db, vm.id, { limit: pageSize, beforeId })).map((row) => ({
    ...eventShape(row),
    text: eventTextFor(c.get("signedIn").actor, row),
  }));
  return c.json({ items, total: items.length, page: 1 });
};

export const apiCreateVm: Api = (deps) => async (c) => {
  const { tag, ...fields } = pick(await readJson(c), ["name", "userId", "osfId", "tag"]);
  const input = { ...fields, ...(tag === undefined ? {} : { diTag: tag }) };
  const { vmId } = await createVm(contextOf(deps, c), deps, unparsed(input));
  deps.wake("vm", vmId);
  return c.json(vmShape(found(await readDesktop(deps.db, vmId), "desktop")), 201);
};

export const apiChangeVm: Api = (deps) => async (c) => {
  const vmId = idParam<VmId>(c, "desktop");
  const { tag, ...fields } = pick(await readJson(c), ["name", "tag"]);
  await changeVm(
    contextOf(deps, c),
    unparsed({ ...fields, vmId, ...(tag === undefined ? {} : { diTag: tag }) }),
  );
  deps.wake("vm", vmId);
  return c.json(vmShape(await readVm(deps, c)));
};

export const apiBlockVm: Api = (deps) => async (c) => {
  const vmId = idParam<VmId>(c, "desktop");
  const fields = pick(await readOptionalJson(c), ["reason"]);
  await blockVm(contextOf(deps, c), unparsed({ ...fields, vmId }));
  deps.wake("vm", vmId);
  return c.body(null, 204);
};

const VERBS = {
  start: (context: Context, { vmId }: { readonly vmId: VmId }) => startDesktop(context, vmId),
  stop: wishVmStopped,
  disconnect: wishSessionEnd,
  unblock: unblockVm,
  delete: deleteVm,
} as const;

export function apiActOnVm(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    const vmId = idParam<VmId>(c, "desktop");
    if (isTrial(c)) await rehearse<unknown>(contextOf(deps, c), (inside) => VERBS[verb](inside, { vmId }));
    else {
      await VERBS[verb](contextOf(deps, c), { vmId });
      deps.wake("vm", vmId);
    }
    return c.body(null, 204);
  };
}

async function readVm(deps: AdminDeps, c: AdminContext) {
  return found(await readDesktop(deps.db, idParam<VmId>(c, "desktop"), tenantOf(c)), "desktop");
}

/** One of the eight states, or a group of them such as `starting`. */
function statesFilter(text: string | undefined): readonly VmState[] | undefined {
  if (text === undefined || text === "") return undefined;
  const group = parseStateGroup(text);
  if (group !== undefined) return statesOf(group);
  const state = VM_STATES.find((each) => each === text);
  if (state !== undefined) return [state];
  throw new AppError(
    "bad-input",
    `state ${text} is not one of ${[...STATE_GROUPS.map(({ key }) => key), ...VM_STATES.filter((each) => each.includes("_"))].join(", ")}`,
    { field: "state" },
  );
}

function userFilter(text: string | undefined): UserId | undefined {
  if (text === undefined || text === "") return undefined;
  const id = parseId<UserId>(text);
  if (id === undefined) throw new AppError("bad-input", "user must be an id", { field: "user" });
  return id;
}
