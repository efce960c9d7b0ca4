/** GET /settings/tenants: the tenants, with how much is theirs. Created by root of a box. */

import type { Handler } from "hono";
import { listTenantFacts, type TenantFacts } from "../../../db/queries/tenants.ts";
import { Card } from "../../../ui/card.tsx";
import { Pill } from "../../../ui/pill.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { readScope } from "../../setting-scope.ts";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { tenantOf } from "../../visible.ts";
import { PartNav } from "./nav.tsx";

export function showTenants(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const rows = await listTenantFacts(deps.db, tenantOf(c));
    return renderPage(
      c,
      { title: "Tenants", section: "settings" },
      <>
        <PageHead title="Tenants" lead="Created by root of a box (qvd tenant create)." />
        <div class="stack">
          <PartNav scope={scope} current="tenants" />
          <Card isFlush>
            <TenantsTable rows={rows} now={new Date(deps.clock.nowMs())} />
          </Card>
        </div>
      </>,
    );
  };
}

function TenantsTable(props: { readonly rows: readonly TenantFacts[]; readonly now: Date }) {
  const columns = ["Tenant", "Users", "Desktops", "Administrators", "Created"].map((title) => ({ title }));
  return (
    <Table caption="Tenants" columns={columns}>
      {props.rows.map((row) => (
        <tr>
          <TitleCell text={row.name} badge={row.isBlocked ? <Pill tone="warn" text="Blocked" /> : null} />
          <Cell label="Users">{row.users}</Cell>
          <Cell label="Desktops">{row.desktops}</Cell>
          <Cell label="Administrators">{row.administrators}</Cell>
          <Cell label="Created">
            <Moment at={row.createdAt} now={props.now} />
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
