/** GET /, and GET /overview/live for what changes on it. */

import type { Handler } from "hono";
import { listDesktops } from "../../../db/queries/desktops.ts";
import { listImages } from "../../../db/queries/images.ts";
import { listNodes } from "../../../db/queries/nodes.ts";
import { readOverview } from "../../../db/queries/overview.ts";
import { listSessions } from "../../../db/queries/sessions.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { tenantOf } from "../../visible.ts";
import { listTroubles } from "./troubles.ts";
import { OverviewRegion, type OverviewView } from "./view.tsx";

const MOST_SESSIONS = 8;
const MOST_LOOKED_AT = 200;
const MOST_FAULTY = 20;

export function showOverview(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Overview", section: "overview", isLive: true },
      <>
        <PageHead title="Overview" />
        <OverviewRegion view={view} />
      </>,
    );
  };
}

export function showOverviewFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRegion(c) {
    return c.html(<OverviewRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<OverviewView> {
  const { db } = deps;
  const tenantId = tenantOf(c);
  const isSite = tenantId === undefined;
  const many = { page: 1, pageSize: MOST_LOOKED_AT };
  const [figures, live, nodes, desktops, faulty, images] = await Promise.all([
    readOverview(db, tenantId),
    listSessions(db, { tenantId, isLive: true }, { page: 1, pageSize: MOST_SESSIONS }),
    isSite ? listNodes(db) : [],
    listDesktops(db, { tenantId }, { ...many, sort: { by: "state", isDescending: true } }),
    listDesktops(db, { tenantId, isFaulty: true }, { page: 1, pageSize: MOST_FAULTY }),
    listImages(db, { tenantId }, many),
  ]);
  return {
    figures,
    sessions: live.items,
    nodes,
    isSite,
    troubles: listTroubles({
      nodes,
      desktops: [...faulty.items, ...desktops.items.filter((one) => one.fault === null)],
      images: images.items,
      isSite,
    }),
    now: new Date(deps.clock.nowMs()),
  };
}
