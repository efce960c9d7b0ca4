/**
 * GET /api/v1/audit?actor=TEXT&action=vm.&subject=vm:7&search=TEXT&since=MOMENT&until=MOMENT&limit=50&before=ID: who asked
 * for what, the newest first. An administrator of one tenant sees what is that tenant's.
 */

import type { Handler } from "hono";
import { type AuditFilter, listAudit } from "../../db/queries/audit.ts";
import { AppError } from "../../lib/errors.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { tenantOf } from "../visible.ts";
import { readListQuery } from "./list.ts";
import type { AuditPageShape } from "./shapes.ts";
import { auditShape } from "./to-shape.ts";

const ROWS = 50;
const MOST_ROWS = 200;

export function apiListAudit(deps: AdminDeps): Handler<AdminEnv> {
  return async function sendAudit(c) {
    const limit = Math.min(numberQuery(c, "limit") ?? ROWS, MOST_ROWS);
    // One more than is sent tells whether there are older ones.
    const found = await listAudit(deps.db, { ...readFilter(c), limit: limit + 1 });
    const rows = found.slice(0, limit);
    const next = found.length > limit ? (rows.at(-1)?.id ?? null) : null;
    return c.json({ items: rows.map(auditShape), next } satisfies AuditPageShape);
  };
}

function readFilter(c: AdminContext): Omit<AuditFilter, "limit"> {
  return {
    tenantId: tenantOf(c),
    actor: textQuery(c, "actor"),
    action: textQuery(c, "action"),
    subject: subjectQuery(c),
    search: readListQuery(c).search,
    since: momentQuery(c, "since"),
    until: momentQuery(c, "until"),
    beforeId: numberQuery(c, "before"),
  };
}

const MOST_TEXT = 200;

function textQuery(c: AdminContext, name: string): string | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  if (text.length <= MOST_TEXT && !text.includes("\0")) return text;
  throw new AppError("bad-input", `${name} must be at most ${MOST_TEXT} characters`, { field: name });
}

/** `vm`, `vm:7` or `vm:ann-desk`. */
function subjectQuery(c: AdminContext): AuditFilter["subject"] {
  const text = textQuery(c, "subject");
  if (text === undefined) return undefined;
  const [kind = "", ...rest] = text.split(":");
  const which = rest.join(":");
  if (which === "") return { kind };
  return /^[0-9]{1,15}$/.test(which) ? { kind, id: Number(which) } : { kind, name: which };
}

function momentQuery(c: AdminContext, name: string): Date | undefined {
  const text = textQuery(c, name);
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at.getTime())) return at;
  throw new AppError("bad-input", `${name} must be a moment such as 2026-11-22T08:00:00Z`, { field: name });
}

function numberQuery(c: AdminContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new AppError("bad-input", `${name} must be a number`, { field: name });
}
