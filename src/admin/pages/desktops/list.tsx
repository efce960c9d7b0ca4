/** GET /desktops, and GET /desktops/table for the list alone. */

import type { Handler } from "hono";
import { DESKTOP_SORTS, listDesktops } from "../../../db/queries/desktops.ts";
import { readOverview } from "../../../db/queries/overview.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { parseStateGroup, STATE_GROUPS, type StateGroup, statesOf } from "../../../ui/vm-state.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { parseListQuery } from "../../list-query.ts";
import { readPageOrLast } from "../../read-page.ts";
import { renderPage } from "../../render.tsx";
import { ListToolbar } from "../../ui/list-toolbar.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";
import { addressOf, DESKTOPS_ID, DesktopsRegion, type DesktopsView } from "./list-view.tsx";

export function listDesktopsPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showList(c) {
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Desktops", section: "desktops", isLive: true },
      <>
        <PageHead
          title="Desktops"
          actions={<ButtonLink href="/desktops/new" label="Create a desktop" icon="plus" kind="main" />}
        />
        <ListToolbar
          action="/desktops"
          search={view.query.search}
          label="Search name, user or address"
          keep={{ state: view.group }}
          fragment={{ path: "/desktops/table", id: DESKTOPS_ID }}
        />
        <DesktopsRegion view={view} />
      </>,
    );
  };
}

export function listDesktopsFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showTable(c) {
    const view = await readView(deps, c);
    // The address bar follows the search, so that a reload or a bookmark shows the same.
    return c.html(<DesktopsRegion view={view} />, 200, { "HX-Replace-Url": addressOf(view, {}) });
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<DesktopsView> {
  const params = new URL(c.req.url).searchParams;
  const asked = parseListQuery(params, DESKTOP_SORTS);
  const group = parseStateGroup(params.get("state") ?? undefined);
  const tenantId = tenantOf(c);
  const filter = {
    tenantId,
    search: asked.search,
    states: group === undefined ? undefined : statesOf(group),
  };
  const sort = { by: asked.sort, isDescending: asked.direction === "down" };
  const [{ query, page }, overview] = await Promise.all([
    readPageOrLast(asked, ({ page, pageSize }) => listDesktops(deps.db, filter, { page, pageSize, sort })),
    readOverview(deps.db, tenantId),
  ]);
  return {
    query,
    group,
    rows: page.items,
    total: page.total,
    counts: countGroups(overview.desktopsByState),
    csrf: c.get("signedIn").csrfToken,
    now: new Date(deps.clock.nowMs()),
    hasTenants: await seesTenants(deps, c),
  };
}

function countGroups(
  byState: Awaited<ReturnType<typeof readOverview>>["desktopsByState"],
): Record<StateGroup, number> {
  const counts: Record<StateGroup, number> = { running: 0, starting: 0, stopping: 0, zombie: 0, stopped: 0 };
  for (const group of STATE_GROUPS) {
    for (const state of group.states) counts[group.key] += byState[state];
  }
  return counts;
}
