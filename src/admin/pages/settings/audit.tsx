/**
 * GET /settings/audit, and /settings/audit/table for the rows alone: who asked for what, the newest first. An administrator
 * of one tenant sees what is that tenant's.
 */

import type { Handler } from "hono";
import { type AuditRow, listAudit } from "../../../db/queries/audit.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { hrefWith, parseListQuery } from "../../list-query.ts";
import { renderPage } from "../../render.tsx";
import { readScope } from "../../setting-scope.ts";
import { ListToolbar } from "../../ui/list-toolbar.tsx";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { tenantOf } from "../../visible.ts";
import { PartNav } from "./nav.tsx";

const PAGE_ROWS = 50;
const PATH = "/settings/audit";
const ROWS_ID = "audit";

type View = {
  readonly rows: readonly AuditRow[];
  readonly search: string;
  readonly before: number | undefined;
  /** Where the rows before go on. */
  readonly next: number | undefined;
  readonly now: Date;
};

export function showAudit(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const view = await readView(deps, c);
    return renderPage(
      c,
      { title: "Audit", section: "settings" },
      <>
        <PageHead
          title="Audit"
          lead="Who asked for what. Nobody can change it; old rows go by the site's settings."
        />
        <div class="stack">
          <PartNav scope={scope} current="audit" />
          <div>
            <ListToolbar
              action={PATH}
              search={view.search}
              label="Search who, what or on whom"
              fragment={{ path: `${PATH}/table`, id: ROWS_ID }}
            />
            <Rows view={view} />
          </div>
        </div>
      </>,
    );
  };
}

export function showAuditTable(deps: AdminDeps): Handler<AdminEnv> {
  return async function showRows(c) {
    const view = await readView(deps, c);
    return c.html(<Rows view={view} />, 200, { "HX-Replace-Url": hrefWith(PATH, { search: view.search }) });
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<View> {
  const { search } = parseListQuery(new URL(c.req.url).searchParams, ["id"]);
  const before = parseBefore(c.req.query("before"));
  // One more than is shown tells whether there are older ones.
  const filter = { tenantId: tenantOf(c), search, beforeId: before, limit: PAGE_ROWS + 1 };
  const found = await listAudit(deps.db, filter);
  const rows = found.slice(0, PAGE_ROWS);
  const next = found.length > PAGE_ROWS ? rows.at(-1)?.id : undefined;
  return { rows, search, before, next, now: new Date(deps.clock.nowMs()) };
}

/** Undefined for the first page, and for what names no row. */
function parseBefore(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
}

function Rows({ view }: { readonly view: View }) {
  const { search, before, next } = view;
  return (
    <div id={ROWS_ID} class="stack">
      <Card isFlush>{view.rows.length === 0 ? <Nothing search={search} /> : <AuditTable view={view} />}</Card>
      <div class="actions">
        {before === undefined ? null : <ButtonLink href={hrefWith(PATH, { search })} label="Newest" />}
        {next === undefined ? null : (
          <ButtonLink href={hrefWith(PATH, { search, before: next })} label="Older" />
        )}
      </div>
    </div>
  );
}

function Nothing({ search }: { readonly search: string }) {
  if (search === "") return <Empty icon="clock" title="Nothing" text="Nobody has asked for anything." />;
  return (
    <Empty
      icon="search"
      title="Nothing matches"
      text="Search for a part of a name, such as ann@acme, or of an action, such as vm.block."
      actions={<ButtonLink href={PATH} label="Show all" />}
    />
  );
}

function AuditTable({ view }: { readonly view: View }) {
  const columns = ["What", "On", "By", "From", "When"].map((title) => ({ title }));
  return (
    <Table caption="Audit" columns={columns}>
      {view.rows.map((row) => (
        <tr>
          <TitleCell text={row.action} sub={describeDetail(row.detail)} />
          <Cell label="On">{describeSubject(row)}</Cell>
          <Cell label="By">{row.actor}</Cell>
          <Cell label="From">{row.origin ?? "-"}</Cell>
          <Cell label="When">
            <Moment at={row.at} now={view.now} />
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function describeSubject({ subjectKind, subjectName, subjectId }: AuditRow): string {
  return [subjectKind, subjectName ?? subjectId ?? ""].join(" ").trim();
}

const MOST_DETAIL = 160;

function describeDetail(detail: unknown): string {
  if (detail === null || detail === undefined) return "";
  const text = JSON.stringify(detail);
  return text.length > MOST_DETAIL ? `${text.slice(0, MOST_DETAIL)}…` : text;
}
