/** GET /desktops/:id, and GET /desktops/:id/live for what changes on it. */

import type { Handler } from "hono";
import { readExplainFacts } from "../../../db/queries/explain.ts";
import { listImages } from "../../../db/queries/images.ts";
import { listSessions } from "../../../db/queries/sessions.ts";
import { listTrail } from "../../../db/queries/trail.ts";
import { eventTextFor } from "../../../domain/vm/event-text.ts";
import { explainVm } from "../../../domain/vm/explain.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { found, seesTenants } from "../../visible.ts";
import { LAST_SESSIONS } from "../sessions/history-card.tsx";
import { readDesktopOf } from "./read.ts";
import { DesktopRegion, type DesktopView } from "./show-view.tsx";
import { parseShownEvents } from "./shown-events.ts";

export function showDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const view = await readView(deps, c);
    const options = { title: view.vm.name, section: "desktops", isLive: true } as const;
    return renderPage(c, options, <DesktopRegion view={view} />);
  };
}

export function showDesktopFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRegion(c) {
    return c.html(<DesktopRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<DesktopView> {
  const { db } = deps;
  const vm = await readDesktopOf(deps, c);
  const shownEvents = parseShownEvents(c.req.query("events"));
  // One more than is shown tells whether there are older ones.
  const [trail, live, history, images, facts, hasTenants] = await Promise.all([
    listTrail(db, vm.id, { limit: shownEvents + 1 }),
    listSessions(db, { vmId: vm.id, isLive: true }, { page: 1, pageSize: 1 }),
    listSessions(db, { vmId: vm.id }, { page: 1, pageSize: LAST_SESSIONS }),
    listImages(db, { osfId: vm.osfId }, { page: 1, pageSize: 500 }),
    readExplainFacts(db, vm.id),
    seesTenants(deps, c),
  ]);
  const now = new Date(deps.clock.nowMs());
  const { actor, csrfToken } = c.get("signedIn");
  return {
    vm,
    trail: trail.slice(0, shownEvents).map((row) => ({ ...row, text: eventTextFor(actor, row) })),
    shownEvents,
    hasOlder: trail.length > shownEvents,
    session: live.items[0],
    sessions: history.items,
    hasTenants,
    tagVersion: images.items.find((image) => image.tags.some(({ tag }) => tag === vm.tag))?.version,
    csrf: csrfToken,
    explanation: explainVm(found(facts, "desktop"), now, actor),
    now,
  };
}
