/** GET /settings/audit: who asked for what, the newest first. An administrator of one tenant sees what is that tenant's. */

import type { Handler } from "hono";
import { type AuditRow, listAudit } from "../../../db/queries/audit.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { readScope } from "../../setting-scope.ts";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { tenantOf } from "../../visible.ts";
import { PartNav } from "./nav.tsx";

const PAGE_ROWS = 50;

export function showAudit(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const beforeId = parseBefore(c.req.query("before"));
    // One more than is shown tells whether there are older ones.
    const found = await listAudit(deps.db, { tenantId: tenantOf(c), beforeId, limit: PAGE_ROWS + 1 });
    const rows = found.slice(0, PAGE_ROWS);
    const last = found.length > PAGE_ROWS ? rows.at(-1)?.id : undefined;
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
          <Card isFlush>
            {rows.length === 0 ? (
              <Empty icon="clock" title="Nothing" text="Nobody has asked for anything." />
            ) : (
              <AuditTable rows={rows} now={new Date(deps.clock.nowMs())} />
            )}
          </Card>
          <div class="actions">
            {beforeId === undefined ? null : <ButtonLink href="/settings/audit" label="Newest" />}
            {last === undefined ? null : <ButtonLink href={`/settings/audit?before=${last}`} label="Older" />}
          </div>
        </div>
      </>,
    );
  };
}

/** Undefined for the first page, and for what names no row. */
function parseBefore(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : undefined;
}

function AuditTable(props: { readonly rows: readonly AuditRow[]; readonly now: Date }) {
  const columns = ["What", "On", "By", "From", "When"].map((title) => ({ title }));
  return (
    <Table caption="Audit" columns={columns}>
      {props.rows.map((row) => (
        <tr>
          <TitleCell text={row.action} sub={describeDetail(row.detail)} />
          <Cell label="On">{describeSubject(row)}</Cell>
          <Cell label="By">{row.actor}</Cell>
          <Cell label="From">{row.origin ?? "-"}</Cell>
          <Cell label="When">
            <Moment at={row.at} now={props.now} />
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
