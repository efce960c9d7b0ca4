/** GET /settings/administrators: who may administer what. Created and given passwords by root of a box. */

import type { Handler } from "hono";
import { type AdministratorRow, listAdministrators } from "../../../db/queries/administrators.ts";
import type { AdministratorId } from "../../../domain/ids.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { readScope } from "../../setting-scope.ts";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { ActionsCell, Cell, Table, TitleCell } from "../../ui/table.tsx";
import { tenantOf } from "../../visible.ts";
import { PartNav } from "./nav.tsx";

type View = {
  readonly rows: readonly AdministratorRow[];
  readonly now: Date;
  readonly csrf: string;
  /** Who reads the page: nobody blocks or deletes themselves. */
  readonly own: AdministratorId;
};

export function showAdministrators(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const { actor, csrfToken: csrf } = c.get("signedIn");
    const view = {
      ...{ csrf, own: actor.administratorId, now: new Date(deps.clock.nowMs()) },
      rows: await listAdministrators(deps.db, { tenantId: tenantOf(c) }),
    };
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
            <AdministratorsTable view={view} />
          </Card>
        </div>
      </>,
    );
  };
}

function AdministratorsTable({ view }: { readonly view: View }) {
  const titles = ["Administrator", "Of", "Roles", "Second factor", "Created"].map((title) => ({ title }));
  const columns = [...titles, { title: "Actions", isHidden: true }];
  return (
    <Table caption="Administrators" columns={columns}>
      {view.rows.map((row) => (
        <tr>
          <TitleCell
            text={row.login}
            sub={
              row.seenAt === null ? undefined : (
                <>
                  Seen <Moment at={row.seenAt} now={view.now} />
                </>
              )
            }
            badge={
              <>
                {row.id === view.own ? <Pill tone="idle" text="You" /> : null}
                {row.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
              </>
            }
          />
          <Cell label="Of">{Number(row.tenantId) === 0 ? "The whole site" : row.tenant}</Cell>
          <Cell label="Roles">{row.roles.join(", ") || "none"}</Cell>
          <Cell label="Second factor">{row.hasSecondFactor ? "Yes" : "No"}</Cell>
          <Cell label="Created">
            <Moment at={row.createdAt} now={view.now} />
          </Cell>
          <ActionsCell>{row.id === view.own ? null : <Actions row={row} csrf={view.csrf} />}</ActionsCell>
        </tr>
      ))}
    </Table>
  );
}

function Actions({ row, csrf }: { readonly row: AdministratorRow; readonly csrf: string }) {
  const path = `/settings/administrators/${row.id}`;
  const look = { about: row.login, isSmall: true } as const;
  const form = { ...look, csrf, back: "/settings/administrators" };
  return (
    <>
      {row.isBlocked ? (
        <PostButton {...form} action={`${path}/unblock`} label="Unblock" icon="unblock" />
      ) : (
        <PostButton {...form} action={`${path}/block`} label="Block" icon="block" />
      )}
      <ButtonLink {...look} href={`${path}/delete`} label="Delete" icon="trash" />
    </>
  );
}
