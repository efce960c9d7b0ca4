/** GET /settings/administrators: who may administer what. Created and given passwords by root of a box. */

import type { Handler } from "hono";
import { type AdministratorRow, listAdministrators } from "../../../db/queries/administrators.ts";
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

export function showAdministrators(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const rows = await listAdministrators(deps.db, { tenantId: tenantOf(c) });
    return renderPage(
      c,
      { title: "Administrators", section: "settings" },
      <>
        <PageHead
          title="Administrators"
          lead="Created by root of a box (qvd administrator create), or by your provider's groups."
        />
        <div class="stack">
          <PartNav scope={scope} current="administrators" />
          <Card isFlush>
            <AdministratorsTable rows={rows} now={new Date(deps.clock.nowMs())} />
          </Card>
        </div>
      </>,
    );
  };
}

function AdministratorsTable(props: { readonly rows: readonly AdministratorRow[]; readonly now: Date }) {
  const columns = ["Administrator", "Of", "Roles", "Created"].map((title) => ({ title }));
  return (
    <Table caption="Administrators" columns={columns}>
      {props.rows.map((row) => (
        <tr>
          <TitleCell text={row.login} badge={row.isBlocked ? <Pill tone="warn" text="Blocked" /> : null} />
          <Cell label="Of">{Number(row.tenantId) === 0 ? "The whole site" : row.tenant}</Cell>
          <Cell label="Roles">{row.roles.join(", ") || "none"}</Cell>
          <Cell label="Created">
            <Moment at={row.createdAt} now={props.now} />
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
