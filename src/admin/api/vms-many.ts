/**
 * POST /api/v1/vms/start and /vms/stop: one wish for many desktops, given as `ids`, as those of an OSF (`osfId`),
 * or as `all` that the asker may see. In portions, so that nobody waits long for the rows of the others.
 */

import type { Handler } from "hono";
import { listDesktopIds } from "../../db/queries/desktops.ts";
import { asId, type OsfId, type VmId } from "../../domain/ids.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import type { Context } from "../../service/context.ts";
import { rehearse } from "../../service/rehearse.ts";
import { type WishedVms, wishVms } from "../../service/vm/wish-many.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { tenantOf } from "../visible.ts";
import { type Fields, pick, readJson } from "./body.ts";
import { isTrial } from "./list.ts";
import type { WishedShape } from "./shapes.ts";

const PORTION = 500;
const MOST_WAKES = 2_000;
/** As many as a site has ranges of user ids. */
const MOST_IDS = 30_000;

export function apiWishVms(deps: AdminDeps, wish: "running" | "stopped"): Handler<AdminEnv> {
  return async function executeWishes(c) {
    const vmIds = await readIds(deps, c, pick(await readJson(c), ["ids", "osfId", "all"]));
    const context = contextOf(deps, c);
    const done = isTrial(c)
      ? await rehearse(context, (inside) => wishInPortions(inside, vmIds, wish))
      : await wishInPortions(context, vmIds, wish);
    if (!isTrial(c)) wakeFor(deps, done.wished);
    const answer: WishedShape = {
      ...{ wished: done.wished.length, unchanged: done.unchanged.length },
      refused: done.refused.map(({ vmId, code, message }) => ({ id: vmId, code, message })),
    };
    return c.json(answer);
  };
}

/** Each that is named, so that only its node looks; beyond some number that is nearly every box anyway. */
export function wakeFor(deps: Pick<AdminDeps, "wake">, vmIds: readonly VmId[]): void {
  if (vmIds.length > MOST_WAKES) deps.wake("vm");
  else for (const vmId of vmIds) deps.wake("vm", vmId);
}

async function readIds(deps: AdminDeps, c: AdminContext, fields: Fields): Promise<readonly VmId[]> {
  const { ids, osfId, all } = fields;
  const tenantId = tenantOf(c);
  if (Object.keys(fields).length !== 1) throw new AppError("bad-input", "give one of ids, osfId and all");
  if (all === true) return await listDesktopIds(deps.db, { tenantId });
  if (Array.isArray(ids) && ids.length <= MOST_IDS && ids.every(isId)) return ids.map(asId<VmId>);
  if (isId(osfId)) return await listDesktopIds(deps.db, { tenantId, osfId: asId<OsfId>(osfId) });
  throw new AppError("bad-input", `give ids (a list of at most ${MOST_IDS}), the id of an OSF, or all: true`);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 2 ** 31;
}

async function wishInPortions(
  context: Context,
  vmIds: readonly VmId[],
  wish: "running" | "stopped",
): Promise<WishedVms> {
  const parts: WishedVms[] = [];
  const errors: AppError[] = [];
  for (let first = 0; first < vmIds.length; first += PORTION) {
    const portion = vmIds.slice(first, first + PORTION);
    try {
      parts.push(await wishVms(context, { vmIds: [...portion], wish }));
    } catch (error) {
      if (!isAppError(error) || error.code === "database-away") throw error;
      // All of this portion were refused alike; those of others may not be.
      errors.push(error);
      const { code, message } = error;
      parts.push({ wished: [], unchanged: [], refused: portion.map((vmId) => ({ vmId, code, message })) });
    }
  }
  const [error] = errors;
  if (error !== undefined && errors.length === parts.length) throw error;
  return {
    wished: parts.flatMap(({ wished }) => wished),
    unchanged: parts.flatMap(({ unchanged }) => unchanged),
    refused: parts.flatMap(({ refused }) => refused),
  };
}
