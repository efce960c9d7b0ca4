/** Sessions as rows of a table: the list of all, and the last ones on the page of a desktop or a user. */

import type { SessionRow } from "../../../db/queries/sessions.ts";
import { ACCESS_TEXTS } from "../../../domain/session/access-texts.ts";
import { explainEnd } from "../../../domain/session/explain-end.ts";
import { sessionPhase } from "../../../domain/session/session-phase.ts";
import { PostButton } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { formatDuration, Moment } from "../../ui/moment.tsx";
import { formatSize } from "../../ui/size.ts";
import { ActionsCell, Cell, type Column, Table, TitleCell } from "../../ui/table.tsx";

export type SessionRowsView = {
  readonly rows: readonly SessionRow[];
  readonly csrf: string;
  readonly now: Date;
  readonly hasTenants: boolean;
  /** Where a button leads back to. */
  readonly back: string;
};

export function SessionTable(props: { readonly view: SessionRowsView; readonly caption: string }) {
  const columns: readonly Column[] = [
    { title: "Desktop" },
    { title: "User" },
    { title: "State" },
    { title: "From" },
    { title: "Began" },
    { title: "Carried" },
    { title: "Actions", isHidden: true, isTight: true },
  ];
  return (
    <Table caption={props.caption} columns={columns}>
      {props.view.rows.map((row) => (
        <Row row={row} view={props.view} />
      ))}
    </Table>
  );
}

function Row(props: { readonly row: SessionRow; readonly view: SessionRowsView }) {
  const { row, view } = props;
  const phase = sessionPhase(row);
  const carried = row.bytesToClient + row.bytesFromClient;
  return (
    <tr id={`session-${row.id}`}>
      <TitleCell href={`/desktops/${row.vmId}`} text={row.vm} sub={`session ${row.id}`} />
      <Cell label="User">
        <a href={`/users/${row.userId}`}>{row.user}</a>
        {view.hasTenants ? <span class="row-sub">{row.tenant}</span> : null}
      </Cell>
      <Cell label="State">
        <StateFact row={row} />
      </Cell>
      <Cell label="From">
        {row.clientAddress ?? "unknown"}
        <span class="row-sub">
          {row.access === "nx" ? "client" : ACCESS_TEXTS[row.access]}
          {row.node === null ? "" : `, by ${row.node}`}
        </span>
      </Cell>
      <Cell label="Began">
        <Moment at={row.connectedAt ?? row.requestedAt} now={view.now} />
        <span class="row-sub">{durationText(row, view.now)}</span>
      </Cell>
      <Cell label="Carried" isEmpty={carried === 0}>
        {formatSize(carried)}
      </Cell>
      <ActionsCell>
        {phase === "ended" || row.endWishedAt !== null ? null : (
          <PostButton
            action={`/sessions/${row.id}/disconnect`}
            csrf={view.csrf}
            back={view.back}
            label="Disconnect"
            about={`${row.user} at ${row.vm}`}
            icon="disconnect"
            isSmall
          />
        )}
      </ActionsCell>
    </tr>
  );
}

function StateFact(props: { readonly row: SessionRow }) {
  const { row } = props;
  const phase = sessionPhase(row);
  if (phase === "ended")
    return (
      <>
        <Pill tone="idle" text="Ended" />
        <span class="row-sub">{explainEnd(row)}</span>
      </>
    );
  const note = row.endWishedAt === null ? null : <span class="row-sub">is being disconnected</span>;
  return (
    <>
      {phase === "connected" ? <Pill tone="good" text="Connected" /> : <Pill tone="busy" text="Waiting" />}
      {note}
    </>
  );
}

/** How long the client was, or has been, connected; of one that never was, how long it waited. */
function durationText(row: SessionRow, now: Date): string {
  const until = row.endedAt ?? row.supersededAt ?? now;
  const text = formatDuration(until.getTime() - (row.connectedAt ?? row.requestedAt).getTime());
  return row.connectedAt === null ? `waited ${text}` : `for ${text}`;
}
