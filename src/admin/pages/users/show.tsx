/** GET /users/:id, and GET /users/:id/live for what changes on it. */

import type { Handler } from "hono";
import { listDesktops } from "../../../db/queries/desktops.ts";
import { readSecondFactorFacts } from "../../../db/queries/second-factors.ts";
import { listSessions } from "../../../db/queries/sessions.ts";
import { listUserTokens } from "../../../db/queries/user-tokens.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";
import { LAST_SESSIONS } from "../sessions/history-card.tsx";
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
  const [vms, sessions, hasTenants, secondFactor, tokens] = await Promise.all([
    listDesktops(deps.db, { tenantId: tenantOf(c), userId: user.id }, { page: 1, pageSize: 200 }),
    listSessions(deps.db, { userId: user.id }, { page: 1, pageSize: LAST_SESSIONS }),
    seesTenants(deps, c),
    readSecondFactorFacts(deps.db, { userId: user.id }),
    listUserTokens(deps.db, { userId: user.id }),
  ]);
  const { csrfToken: csrf } = c.get("signedIn");
  const now = new Date(deps.clock.nowMs());
  const proofs = { secondFactor, tokens: tokens.filter(({ state }) => state === "good") };
  return { user, vms: vms.items, sessions: sessions.items, ...proofs, hasTenants, csrf, now };
}
