/** The list of desktops: the table with its filters, in the page and as the fragment that htmx asks for. */

import type { DESKTOP_SORTS, DesktopRow } from "../../../db/queries/desktops.ts";
import { ButtonLink, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton, PostForm } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { STATE_GROUPS, type StateGroup } from "../../../ui/vm-state.ts";
import type { ListQuery } from "../../list-query.ts";
import { hrefWith, sortParam } from "../../list-query.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Segments } from "../../ui/segments.tsx";
import { ActionsCell, Cell, type Column, Table, TableFoot, TitleCell } from "../../ui/table.tsx";
import { SessionPill, StatePill } from "./state-pill.tsx";

export const DESKTOPS_ID = "desktops";
export type DesktopSort = (typeof DESKTOP_SORTS)[number];

export type DesktopsView = {
  readonly query: ListQuery<DesktopSort>;
  readonly group: StateGroup | undefined;
  readonly rows: readonly DesktopRow[];
  readonly total: number;
  readonly counts: Readonly<Record<StateGroup, number>>;
  readonly csrf: string;
  readonly now: Date;
  /** Whether there are several tenants to tell apart. */
  readonly hasTenants: boolean;
};

/** Nothing there, rather than nothing found. */
function isEmptySite(view: DesktopsView): boolean {
  return view.total === 0 && view.query.search === "" && view.group === undefined;
}

const BULK_FORM = "bulk";

export function DesktopsRegion(props: { readonly view: DesktopsView }) {
  const { view } = props;
  return (
    <LiveRegion id={DESKTOPS_ID} path={addressOf(view, {}, "/desktops/table")} class="selection">
      {isEmptySite(view) ? null : <Filter view={view} />}
      <Card isFlush>{view.rows.length === 0 ? <Nothing view={view} /> : <Rows view={view} />}</Card>
      {view.rows.length === 0 ? null : <Bulk view={view} />}
    </LiveRegion>
  );
}

function Filter(props: { readonly view: DesktopsView }) {
  const { view } = props;
  const total = Object.values(view.counts).reduce((sum, count) => sum + count, 0);
  const all = {
    href: addressOf(view, { state: undefined, page: 1 }),
    text: "All",
    count: total,
    isCurrent: view.group === undefined,
  };
  // A state that no desktop is in is no choice, unless it is the one chosen.
  const groups = STATE_GROUPS.filter((group) => view.counts[group.key] > 0 || group.key === view.group);
  return (
    <div class="toolbar">
      <Segments
        label="State"
        segments={[
          all,
          ...groups.map((group) => ({
            href: addressOf(view, { state: group.key, page: 1 }),
            text: group.text,
            count: view.counts[group.key],
            isCurrent: group.key === view.group,
          })),
        ]}
      />
    </div>
  );
}

function columnsOf(view: DesktopsView): readonly Column[] {
  const sortable = (title: string, sort: DesktopSort): Column => {
    const isNow = view.query.sort === sort;
    const next = isNow && view.query.direction === "up" ? "down" : "up";
    const href = addressOf(view, { sort: sortParam(sort, next), page: 1 });
    return { title, sort: { href, now: isNow ? view.query.direction : undefined } };
  };
  return [
    { title: "Select", isHidden: true, isTight: true },
    sortable("Desktop", "name"),
    sortable("State", "state"),
    sortable("User", "user"),
    { title: "Image" },
    { title: "Session" },
    sortable("Node", "node"),
    { title: "Actions", isHidden: true, isTight: true },
  ];
}

function Rows(props: { readonly view: DesktopsView }) {
  const { view } = props;
  const { page, pageSize } = view.query;
  return (
    <>
      <Table caption="Desktops" columns={columnsOf(view)}>
        {view.rows.map((row) => (
          <Row row={row} view={view} />
        ))}
      </Table>
      <TableFoot
        noun="desktop"
        paging={{ page, pageSize, total: view.total, hrefOf: (wanted) => addressOf(view, { page: wanted }) }}
      />
    </>
  );
}

function Row(props: { readonly row: DesktopRow; readonly view: DesktopsView }) {
  const { row, view } = props;
  return (
    <tr id={`desktop-${row.id}`}>
      <td class="select-cell">
        <input
          type="checkbox"
          name="vm"
          value={String(row.id)}
          form={BULK_FORM}
          aria-label={`Select ${row.name}`}
        />
      </td>
      <TitleCell
        href={`/desktops/${row.id}`}
        text={row.name}
        sub={row.address}
        badge={row.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
      />
      <Cell label="State">
        <StatePill vm={row} now={view.now} />
      </Cell>
      <Cell label="User">
        <a href={`/users/${row.userId}`}>{row.user}</a>
        {view.hasTenants ? <span class="row-sub">{row.tenant}</span> : null}
      </Cell>
      <Cell label="Image">
        {row.osf}
        <span class="row-sub">{row.tag}</span>
      </Cell>
      <Cell label="Session" isEmpty={!row.isConnected && row.xState === "none"}>
        <SessionPill vm={row} />
      </Cell>
      <Cell label="Node" isEmpty={row.node === null}>
        {row.node}
      </Cell>
      <ActionsCell>
        <StartStop row={row} view={view} />
      </ActionsCell>
    </tr>
  );
}

function StartStop(props: { readonly row: DesktopRow; readonly view: DesktopsView }) {
  const { row, view } = props;
  const isUp = row.wish === "running";
  return (
    <PostButton
      action={`/desktops/${row.id}/${isUp ? "stop" : "start"}`}
      csrf={view.csrf}
      back={addressOf(view, {})}
      label={isUp ? "Stop" : "Start"}
      about={row.name}
      icon={isUp ? "stop" : "play"}
      isSmall
    />
  );
}

/** Its ticks stand in the rows and name this form, because each row has a form of its own. */
function Bulk(props: { readonly view: DesktopsView }) {
  const { view } = props;
  return (
    <PostForm
      id={BULK_FORM}
      action="/desktops/start"
      csrf={view.csrf}
      back={addressOf(view, {})}
      label="With those selected"
      isBare
    >
      <div class="selection-bar">
        <span>With those selected</span>
        <SubmitButton label="Start" icon="play" isSmall formAction="/desktops/start" />
        <SubmitButton label="Stop" icon="stop" isSmall formAction="/desktops/stop" />
      </div>
    </PostForm>
  );
}

function Nothing(props: { readonly view: DesktopsView }) {
  const { query, group } = props.view;
  if (query.search !== "" || group !== undefined) {
    return (
      <Empty
        icon="search"
        title="No desktop matches"
        text="Search for a part of a desktop's name, its user or its address, or look at all of them."
        actions={<ButtonLink href="/desktops" label="Show all desktops" />}
      />
    );
  }
  return (
    <Empty
      icon="desktop"
      title="No desktops yet"
      text="A desktop belongs to a user and runs an image. Have a user and an image, then create the first one."
      actions={
        <>
          <ButtonLink href="/desktops/new" label="Create a desktop" icon="plus" kind="main" />
          <ButtonLink href="/images" label="See images" />
        </>
      }
    />
  );
}

export function addressOf(
  view: DesktopsView,
  changes: Readonly<Record<string, string | number | undefined>>,
  path = "/desktops",
): string {
  const { query, group } = view;
  const sort =
    query.sort === "name" && query.direction === "up" ? undefined : sortParam(query.sort, query.direction);
  return hrefWith(path, { search: query.search, state: group, sort, page: query.page, ...changes });
}
