/** The list of sessions, past ones included: in the page, and as the fragment that htmx asks for. */

import { MOST_COUNTED_SESSIONS } from "../../../db/queries/sessions.ts";
import { SESSION_PHASES, type SessionPhase } from "../../../domain/session/session-phase.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { hrefWith, type ListQuery } from "../../list-query.ts";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Segments } from "../../ui/segments.tsx";
import { TableFoot } from "../../ui/table.tsx";
import { type SessionRowsView, SessionTable } from "./rows.tsx";

export const SESSIONS_ID = "sessions";

export type SessionsView = SessionRowsView & {
  readonly query: ListQuery<"newest">;
  readonly phase: SessionPhase | undefined;
  /** Of one desktop or one user alone. */
  readonly vm: number | undefined;
  readonly user: number | undefined;
  readonly total: number;
};

const PHASE_TEXTS = {
  waiting: "Waiting",
  connected: "Connected",
  ended: "Ended",
} as const satisfies Record<SessionPhase, string>;

export function SessionsRegion(props: { readonly view: SessionsView }) {
  const { view } = props;
  const { page, pageSize } = view.query;
  const paging = {
    page,
    pageSize,
    total: view.total,
    hrefOf: (wanted: number) => addressOf(view, { page: wanted }),
  };
  return (
    <LiveRegion id={SESSIONS_ID} path={addressOf(view, {}, "/sessions/table")}>
      <Filter view={view} />
      <Card isFlush>
        {view.rows.length === 0 ? (
          <Nothing view={view} />
        ) : (
          <>
            <SessionTable caption="Sessions" view={view} />
            <TableFoot noun="session" paging={paging} />
          </>
        )}
      </Card>
      {view.total >= MOST_COUNTED_SESSIONS ? (
        <p class="card-note">Only the newest {MOST_COUNTED_SESSIONS} are listed; search for older ones.</p>
      ) : null}
    </LiveRegion>
  );
}

function Filter(props: { readonly view: SessionsView }) {
  const { view } = props;
  const segment = (phase: SessionPhase | undefined, text: string) => ({
    href: addressOf(view, { state: phase, page: 1 }),
    text,
    isCurrent: view.phase === phase,
  });
  return (
    <div class="toolbar">
      <Segments
        label="State"
        segments={[
          segment(undefined, "All"),
          ...SESSION_PHASES.map((phase) => segment(phase, PHASE_TEXTS[phase])),
        ]}
      />
      {view.vm === undefined && view.user === undefined ? null : (
        <ButtonLink
          href={hrefWith("/sessions", { search: view.query.search, state: view.phase })}
          label={view.vm === undefined ? "Of one user: show all" : "Of one desktop: show all"}
          isSmall
        />
      )}
    </div>
  );
}

function Nothing(props: { readonly view: SessionsView }) {
  const { query, phase, vm, user } = props.view;
  const isNarrowed = query.search !== "" || phase !== undefined || vm !== undefined || user !== undefined;
  if (isNarrowed)
    return (
      <Empty
        icon="search"
        title="No session matches"
        text="Search for a part of a desktop's name, a login or an address."
        actions={<ButtonLink href="/sessions" label="Show all sessions" />}
      />
    );
  return (
    <Empty
      icon="session"
      title="No session yet"
      text="Each time somebody connects to a desktop it is told here: from where, for how long, and why it ended."
    />
  );
}

export function addressOf(
  view: SessionsView,
  changes: Readonly<Record<string, string | number | undefined>>,
  path = "/sessions",
): string {
  const { query, phase, vm, user } = view;
  return hrefWith(path, { search: query.search, state: phase, vm, user, page: query.page, ...changes });
}
