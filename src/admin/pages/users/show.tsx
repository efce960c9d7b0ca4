/** GET /users/:id, and GET /users/:id/live for what changes on it. */

import type { Handler } from "hono";
import { listDesktops } from "../../../db/queries/desktops.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { readUserOf } from "./read.ts";
import { UserRegion, type UserView } from "./show-view.tsx";

export function showUser(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const view = await readView(deps, c);
    const options = { title: view.user.login, section: "users", isLive: true } as const;
    return renderPage(c, options, <UserRegion view={view} />);
  };
}

export function showUserFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRegion(c) {
    return c.html(<UserRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<UserView> {
  const user = await readUserOf(deps, c);
  const vms = await listDesktops(deps.db, { userId: user.id }, { page: 1, pageSize: 200 });
  return { user, vms: vms.items, csrf: c.get("signedIn").csrfToken, now: new Date(deps.clock.nowMs()) };
}
