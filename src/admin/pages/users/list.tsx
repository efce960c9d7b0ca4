/** GET /users, and GET /users/table for the list alone. */

import type { Handler } from "hono";
import { listUsers } from "../../../db/queries/users.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { parseListQuery } from "../../list-query.ts";
import { readPageOrLast } from "../../read-page.ts";
import { renderPage } from "../../render.tsx";
import { ListToolbar } from "../../ui/list-toolbar.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";
import { addressOf, USERS_ID, UsersRegion, type UsersView } from "./list-view.tsx";

export function listUsersPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showList(c) {
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Users", section: "users", isLive: true },
      <>
        <PageHead
          title="Users"
          actions={<ButtonLink href="/users/new" label="Create a user" icon="plus" kind="main" />}
        />
        <ListToolbar
          action="/users"
          search={view.query.search}
          label="Search login or name"
          fragment={{ path: "/users/table", id: USERS_ID }}
        />
        <UsersRegion view={view} />
      </>,
    );
  };
}

export function listUsersFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showTable(c) {
    const view = await readView(deps, c);
    return c.html(<UsersRegion view={view} />, 200, { "HX-Replace-Url": addressOf(view, {}) });
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<UsersView> {
  const asked = parseListQuery(new URL(c.req.url).searchParams, ["login"]);
  const tenantId = tenantOf(c);
  const filter = { tenantId, search: asked.search };
  const { query, page } = await readPageOrLast(asked, (query) => listUsers(deps.db, filter, query));
  return {
    query,
    rows: page.items,
    total: page.total,
    now: new Date(deps.clock.nowMs()),
    hasTenants: await seesTenants(deps, c),
  };
}
