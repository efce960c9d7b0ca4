/** GET /sessions, and GET /sessions/table for the list alone. */

import type { Handler } from "hono";
import { listSessions } from "../../../db/queries/sessions.ts";
import { parseId, type UserId, type VmId } from "../../../domain/ids.ts";
import { isSessionPhase } from "../../../domain/session/session-phase.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { parseListQuery } from "../../list-query.ts";
import { readPageOrLast } from "../../read-page.ts";
import { renderPage } from "../../render.tsx";
import { ListToolbar } from "../../ui/list-toolbar.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";
import { addressOf, SESSIONS_ID, SessionsRegion, type SessionsView } from "./list-view.tsx";

export function listSessionsPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showList(c) {
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Sessions", section: "sessions", isLive: true },
      <>
        <PageHead title="Sessions" />
        <ListToolbar
          action="/sessions"
          search={view.query.search}
          label="Search desktop, user or address"
          keep={{ state: view.phase, vm: view.vm?.toString(), user: view.user?.toString() }}
          fragment={{ path: "/sessions/table", id: SESSIONS_ID }}
        />
        <SessionsRegion view={view} />
      </>,
    );
  };
}

export function listSessionsFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showTable(c) {
    const view = await readView(deps, c);
    return c.html(<SessionsRegion view={view} />, 200, { "HX-Replace-Url": addressOf(view, {}) });
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<SessionsView> {
  const params = new URL(c.req.url).searchParams;
  const asked = parseListQuery(params, ["newest"]);
  const state = params.get("state") ?? "";
  const phase = isSessionPhase(state) ? state : undefined;
  const vm = parseId<VmId>(params.get("vm") ?? "");
  const user = parseId<UserId>(params.get("user") ?? "");
  const filter = { tenantId: tenantOf(c), vmId: vm, userId: user, phase, search: asked.search };
  const { query, page } = await readPageOrLast(asked, (query) => listSessions(deps.db, filter, query));
  const view = {
    query,
    phase,
    vm,
    user,
    rows: page.items,
    total: page.total,
    csrf: c.get("signedIn").csrfToken,
    now: new Date(deps.clock.nowMs()),
    hasTenants: await seesTenants(deps, c),
    back: "/sessions",
  };
  return { ...view, back: addressOf(view, {}) };
}
