import { AuditPageShape, type AuditShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { given, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { type Api, openApi } from "../api-client.ts";
import type { Command, CommandArgs } from "../command.ts";
import { parseMoment } from "./parse-moment.ts";

const ROWS = 50;
const MOST_ROWS = 100_000;
const MOST_PAGE = 200;

export const auditList: Command = {
  name: "audit list",
  summary: "List who asked for what, the newest first.",
  options: {
    by: {
      type: "text",
      value: "TEXT",
      doc: "Only what was asked by those whose name contains it, such as ann@acme.",
    },
    action: {
      type: "text",
      value: "ACTION",
      doc: "Only that action, or all that begin so: `vm.` or `vm.block`.",
    },
    on: { type: "text", value: "KIND[:WHICH]", doc: "Only on those: vm, vm:7 or vm:ann-desk." },
    search: { type: "text", value: "TEXT", doc: "Only where who, what or on whom contains it." },
    since: { type: "text", value: "WHEN", doc: "Only since then: 2h, 7d, 2026-11-22 or '2026-11-22 08:00'." },
    until: { type: "text", value: "WHEN", doc: "Only before then." },
    limit: { type: "text", value: "ROWS", doc: `At most so many; default ${ROWS}.` },
    ...JSON_OPTION,
  },
  details: "An administrator of one tenant sees what is that tenant's.",
  examples: [
    "qvd audit list",
    "qvd audit list --by ann --since 7d",
    "qvd audit list --action vm. --on vm:ann-desk --json",
  ],
  async run(io, args) {
    const rows = await listRows(await openApi(io.env), readQuery(args), readLimit(args));
    if (args.options.json) printJson(io, rows);
    else printTable(io, ["WHEN", "BY", "ACTION", "ON", "FROM", "DETAIL"], rows.map(columnsOf));
    return 0;
  },
};

function readQuery(args: CommandArgs): URLSearchParams {
  const nowMs = Date.now();
  const moment = (name: string) => {
    const text = textOption(args, name);
    return text === undefined ? undefined : parseMoment(text, { name, nowMs });
  };
  return new URLSearchParams(
    given({
      actor: textOption(args, "by"),
      action: textOption(args, "action"),
      subject: textOption(args, "on"),
      search: textOption(args, "search"),
      since: moment("since"),
      until: moment("until"),
    }),
  );
}

function readLimit(args: CommandArgs): number {
  const text = textOption(args, "limit") ?? String(ROWS);
  const limit = Number(text);
  if (/^[0-9]+$/.test(text) && limit >= 1 && limit <= MOST_ROWS) return limit;
  throw new AppError("bad-input", `--limit must be a number from 1 to ${MOST_ROWS}, not ${text}`, {
    field: "limit",
  });
}

async function listRows(api: Api, query: URLSearchParams, limit: number): Promise<readonly AuditShape[]> {
  const rows: AuditShape[] = [];
  for (;;) {
    query.set("limit", String(Math.min(limit - rows.length, MOST_PAGE)));
    const { items, next } = AuditPageShape.parse(await api.ask("GET", `/audit?${query}`));
    rows.push(...items);
    if (next === null || rows.length >= limit) return rows;
    query.set("before", String(next));
  }
}

function columnsOf({ at, actor, action, origin, detail, ...row }: AuditShape): readonly string[] {
  const on = [row.subjectKind, row.subjectName ?? row.subjectId ?? ""].join(" ").trim();
  return [at, actor, action, on, origin ?? "-", detail === null ? "" : JSON.stringify(detail)];
}
