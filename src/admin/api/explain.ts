/** /api/v1/vms/:id/explain */

import type { Handler } from "hono";
import { readExplainFacts } from "../../db/queries/explain.ts";
import type { VmId } from "../../domain/ids.ts";
import { explainVm } from "../../domain/vm/explain.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import type { ExplanationShape } from "./shapes.ts";

export function apiExplainVm(deps: AdminDeps): Handler<AdminEnv> {
  return async function answerExplanation(c) {
    const facts = await readExplainFacts(deps.db, idParam<VmId>(c, "desktop"), tenantOf(c));
    const now = new Date(deps.clock.nowMs());
    const { tried, nextAt, ...said } = explainVm(found(facts, "desktop"), now, c.get("signedIn").actor);
    const answer: ExplanationShape = {
      ...said,
      advice: [...said.advice],
      candidates: [...said.candidates],
      tried: tried.map(({ at, text }) => ({ at: at.toISOString(), text })),
      nextAt: nextAt?.toISOString() ?? null,
    };
    return c.json(answer);
  };
}
