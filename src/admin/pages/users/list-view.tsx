/** The list of users: the table in the page, and as the fragment that htmx asks for. */

import type { UserRow } from "../../../db/queries/users.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { hrefWith, type ListQuery } from "../../list-query.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { Cell, type Column, Table, TableFoot, TitleCell } from "../../ui/table.tsx";

export const USERS_ID = "users";

export type UsersView = {
  readonly query: ListQuery<"login">;
  readonly rows: readonly UserRow[];
  readonly total: number;
  readonly now: Date;
  readonly hasTenants: boolean;
};

export function UsersRegion(props: { readonly view: UsersView }) {
  const { view } = props;
  return (
    <LiveRegion id={USERS_ID} path={addressOf(view, {}, "/users/table")}>
      <Card isFlush>{view.rows.length === 0 ? <Nothing view={view} /> : <Rows view={view} />}</Card>
    </LiveRegion>
  );
}

function Rows(props: { readonly view: UsersView }) {
  const { view } = props;
  const { page, pageSize } = view.query;
  return (
    <>
      <Table caption="Users" columns={columnsOf(view)}>
        {view.rows.map((row) => (
          <tr>
            <TitleCell
              href={`/users/${row.id}`}
              text={row.login}
              sub={row.fullName}
              badge={row.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
            />
            {view.hasTenants ? <Cell label="Tenant">{row.tenant}</Cell> : null}
            <Cell label="Desktops">{desktopsText(row)}</Cell>
            <Cell label="Created">
              <Moment at={row.createdAt} now={view.now} />
            </Cell>
          </tr>
        ))}
      </Table>
      <TableFoot
        noun="user"
        paging={{ page, pageSize, total: view.total, hrefOf: (wanted) => addressOf(view, { page: wanted }) }}
      />
    </>
  );
}

function desktopsText(row: UserRow): string {
  if (row.desktops === 0) return "none";
  return row.connected === 0 ? String(row.desktops) : `${row.desktops}, ${row.connected} connected`;
}

function columnsOf(view: UsersView): readonly Column[] {
  const tenant: readonly Column[] = view.hasTenants ? [{ title: "Tenant" }] : [];
  return [{ title: "User" }, ...tenant, { title: "Desktops" }, { title: "Created" }];
}

function Nothing(props: { readonly view: UsersView }) {
  if (props.view.query.search !== "") {
    return (
      <Empty
        icon="search"
        title="No user matches"
        text="Search for a part of a login or a name."
        actions={<ButtonLink href="/users" label="Show all users" />}
      />
    );
  }
  return (
    <Empty
      icon="users"
      title="No users yet"
      text="A user signs in with a QVD client and sees their desktops. Create the first one, then give them a desktop."
      actions={<ButtonLink href="/users/new" label="Create a user" icon="plus" kind="main" />}
    />
  );
}

export function addressOf(
  view: UsersView,
  changes: Readonly<Record<string, string | number | undefined>>,
  path = "/users",
): string {
  return hrefWith(path, { search: view.query.search, page: view.query.page, ...changes });
}
