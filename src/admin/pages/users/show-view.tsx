/** The page of one user: who they are, their desktops, and what can be done. */

import type { DesktopRow } from "../../../db/queries/desktops.ts";
import type { SessionRow } from "../../../db/queries/sessions.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { Facts } from "../../ui/facts.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { SessionPill, StatePill } from "../desktops/state-pill.tsx";
import { HistoryCard } from "../sessions/history-card.tsx";
import { ProofsCard, type ProofsView } from "./proofs-view.tsx";

export const USER_ID = "user";

export type UserView = ProofsView & {
  readonly vms: readonly DesktopRow[];
  /** The last ones. */
  readonly sessions: readonly SessionRow[];
  readonly hasTenants: boolean;
};

export function UserRegion(props: { readonly view: UserView }) {
  const { view } = props;
  const { user } = view;
  return (
    <LiveRegion id={USER_ID} path={`/users/${user.id}/live`}>
      <PageHead
        back={{ href: "/users", text: "Users" }}
        title={user.login}
        lead={user.fullName || undefined}
        status={user.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
        actions={<Actions view={view} />}
      />
      <div class="stack">
        <div class="grid-split">
          <div class="stack">
            <Card
              title="Desktops"
              isFlush
              aside={
                <ButtonLink
                  href={`/desktops/new?user=${user.id}`}
                  label="Create a desktop"
                  icon="plus"
                  isSmall
                />
              }
            >
              <Desktops view={view} />
            </Card>
            <Card title="About" isFlush>
              <Facts
                facts={[
                  ["Login", user.login],
                  ["Name", user.fullName],
                  ["Tenant", user.tenant],
                  ["Created", <Moment at={user.createdAt} now={view.now} />],
                  ["Id", String(user.id)],
                ]}
              />
            </Card>
          </div>
          <ProofsCard view={view} />
        </div>
        <HistoryCard
          view={{ ...view, rows: view.sessions, back: `/users/${user.id}` }}
          whose={user.login}
          href={`/sessions?user=${user.id}`}
        />
      </div>
    </LiveRegion>
  );
}

function Actions(props: { readonly view: UserView }) {
  const { user, csrf } = props.view;
  const path = `/users/${user.id}`;
  const form = { csrf, back: path };
  return (
    <>
      <ButtonLink href={`${path}/change`} label="Change" icon="edit" />
      <ButtonLink href={`${path}/password`} label="Set password" icon="key" />
      {user.isBlocked ? (
        <PostButton {...form} action={`${path}/unblock`} label="Unblock" icon="unblock" />
      ) : (
        <PostButton {...form} action={`${path}/block`} label="Block" icon="block" />
      )}
      <ButtonLink href={`/properties/user/${user.id}`} label="Properties" icon="tag" />
      <ButtonLink href={`${path}/delete`} label="Delete" icon="trash" />
    </>
  );
}

function Desktops(props: { readonly view: UserView }) {
  const { vms, user, now } = props.view;
  if (vms.length === 0) {
    return (
      <Empty
        icon="desktop"
        title="No desktop yet"
        text={`${user.login} can sign in, but has nothing to connect to. Create a desktop for them.`}
        actions={
          <ButtonLink
            href={`/desktops/new?user=${user.id}`}
            label="Create a desktop"
            icon="plus"
            kind="main"
          />
        }
      />
    );
  }
  const columns = [{ title: "Desktop" }, { title: "State" }, { title: "Session" }, { title: "Image" }];
  return (
    <Table caption={`Desktops of ${user.login}`} columns={columns}>
      {vms.map((vm) => (
        <tr>
          <TitleCell
            href={`/desktops/${vm.id}`}
            text={vm.name}
            sub={vm.address}
            badge={vm.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
          />
          <Cell label="State">
            <StatePill vm={vm} now={now} />
          </Cell>
          <Cell label="Session" isEmpty={!vm.isConnected && vm.xState === "none"}>
            <SessionPill vm={vm} />
          </Cell>
          <Cell label="Image">
            {vm.osf}
            <span class="row-sub">{vm.tag}</span>
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
