/** GET /images/:id, and GET /images/:id/live for what changes on it. */

import type { Handler } from "hono";
import { listAudit } from "../../../db/queries/audit.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { readImageOf } from "./read.ts";
import { ImageRegion, type ImageView } from "./show-view.tsx";

const MOST_LINES = 100;

export function showImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const view = await readView(deps, c);
    const title = `${view.image.osf} ${view.image.version}`;
    return renderPage(c, { title, section: "images", isLive: true }, <ImageRegion view={view} />);
  };
}

export function showImageFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRegion(c) {
    return c.html(<ImageRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<ImageView> {
  const image = await readImageOf(deps, c);
  const history = await listAudit(deps.db, { subject: { kind: "image", id: image.id }, limit: MOST_LINES });
  return { image, history, csrf: c.get("signedIn").csrfToken, now: new Date(deps.clock.nowMs()) };
}
