/** GET /nodes, and GET /nodes/live for what changes on it. */

import type { Handler } from "hono";
import { listNodes } from "../../../db/queries/nodes.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { requireSite } from "../../visible.ts";
import { NodesRegion, type NodesView } from "./list-view.tsx";

export function listNodesPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showList(c) {
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Nodes", section: "nodes", isLive: true },
      <>
        <PageHead title="Nodes" lead="The boxes that desktops run on." />
        <NodesRegion view={view} />
      </>,
    );
  };
}

export function listNodesFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRegion(c) {
    return c.html(<NodesRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<NodesView> {
  requireSite(c);
  const nodes = await listNodes(deps.db);
  return { nodes, csrf: c.get("signedIn").csrfToken, now: new Date(deps.clock.nowMs()) };
}
