/**
 * One writer per column: who may write what, and how a write is found in the source. Intent is written by
 * `service`, what was observed by the node's and the broker's reporters. The database's grants say the same
 * for whole processes; this says it for files.
 */

import { closing, lineOf } from "./functions.ts";
import type { SourceFile } from "./tree.ts";

export type WriteRule = {
  readonly table: string;
  /** `rows` is making and deleting them; `rest` every column that no other rule of the table names. */
  readonly columns: readonly string[];
  readonly files: RegExp;
  readonly why: string;
};

const SERVICE = /^src\/service\//;
const NODE_REPORT = /^src\/node\/report(\/|-|\.ts$)/;
const TRAIL = /^src\/(service\/|node\/report(\/|-|\.ts$)|broker\/record(\/|-|\.ts$))/;

export const WRITE_RULES: readonly WriteRule[] = [
  ...[
    "tenants",
    "settings",
    "users",
    "user_credentials",
    "administrators",
    "administrator_roles",
    "administrator_sessions",
    "administrator_credentials",
    "roles",
    "role_acls",
    "osfs",
    "di_tags",
    "nodes",
    "join_codes",
    "properties",
    "second_factors",
    "recovery_codes",
    "sign_in_marks",
    "user_tokens",
    "unlock_codes",
    "user_web_sessions",
    "user_web_tickets",
    "visits",
  ].map((table) => ({
    table,
    columns: ["rows", "rest"],
    files: SERVICE,
    why: "what people wish is written by service verbs, with its audit row in the same transaction",
  })),
  {
    table: "audit_log",
    columns: ["rows", "rest"],
    files: SERVICE,
    why: "the audit row belongs to the verb's transaction",
  },
  {
    table: "vms",
    columns: ["rows", "rest"],
    files: SERVICE,
    why: "a desktop's wish and placement are intent",
  },
  {
    table: "vm_reports",
    columns: ["rows", "rest"],
    files: NODE_REPORT,
    why: "what is true of a desktop is told by its node alone, guarded by the epoch",
  },
  {
    table: "vm_events",
    columns: ["rows", "rest"],
    files: TRAIL,
    why: "the trail is written where a wish is recorded or a truth reported",
  },
  { table: "node_reports", columns: ["rows", "rest"], files: NODE_REPORT, why: "a box tells of itself" },
  {
    table: "node_wakes",
    columns: ["rows", "rest"],
    files: NODE_REPORT,
    why: "whoever wakes a box that polls does it in one way",
  },
  {
    table: "leases",
    columns: ["rows", "rest"],
    files: /^src\/node\/lease(\/|-|\.ts$)/,
    why: "the right to run has one keeper",
  },
  { table: "dis", columns: ["rows", "rest"], files: SERVICE, why: "an image is enrolled by a person" },
  {
    table: "dis",
    columns: ["state", "state_at", "fault", "size_bytes", "sha256", "done_bytes", "total_bytes"],
    files: NODE_REPORT,
    why: "what an image file is was seen by a node",
  },
  {
    table: "sessions",
    columns: ["rows", "rest"],
    files: /^src\/service\/session\//,
    why: "a sitting is asked for and ended by verbs",
  },
  {
    table: "sessions",
    columns: ["state", "state_at", "address", "port", "fault_code", "fault_text"],
    files: NODE_REPORT,
    why: "whether nxagent listens, and where, is the node's word",
  },
  {
    table: "sessions",
    columns: ["connected_at", "ends_at", "ended_at", "end_cause", "bytes_to_client", "bytes_from_client"],
    files: /^src\/(broker\/record(\/|-|\.ts$)|service\/session\/end-lost\.ts$)/,
    why: "who carries the bytes counts them; for brokers of a lost node whoever takes over ends the sitting",
  },
];

export type Write = { readonly table: string; readonly columns: readonly string[]; readonly line: number };

/** `vm_reports` for `vmReports`. */
export function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const BUILDER = /\.(insert|update|delete)\(\s*(?:\w+\.)?(\w+)\s*\)/g;
const SQL =
  /\b(insert\s+into|update|delete\s+from)\s+(?:only\s+)?(?:\$\{\s*(?:\w+\.)?(\w+)\s*\}|"?([a-z_]+)"?)/gi;

/** Writes to known tables, by drizzle's builder or in SQL text. */
export function findWrites(file: SourceFile, tables: ReadonlySet<string>): Write[] {
  const writes: Write[] = [];
  for (const match of file.code.matchAll(BUILDER)) {
    const table = toSnake(match[2] ?? "");
    if (!tables.has(table)) continue;
    const columns =
      match[1] === "update" ? builderColumns(file.code, match.index + match[0].length) : ["rows"];
    writes.push({ table, columns, line: lineOf(file.code, match.index) });
    if (match[1] === "insert") writes.push(...conflictWrite(file.code, match.index, table));
  }
  for (const match of file.code.matchAll(SQL)) {
    const table = match[2] === undefined ? (match[3] ?? "").toLowerCase() : toSnake(match[2]);
    if (!tables.has(table)) continue;
    const isUpdate = match[1]?.toLowerCase() === "update";
    const columns = isUpdate ? sqlColumns(file.code.slice(match.index + match[0].length)) : ["rows"];
    writes.push({ table, columns, line: lineOf(file.code, match.index) });
  }
  return writes;
}

/** The columns that an insert updates when the row is there already. */
function conflictWrite(code: string, at: number, table: string): Write[] {
  const end = code.indexOf(";", at);
  const statement = code.slice(at, end === -1 ? code.length : end);
  const set = /\.onConflictDoUpdate\([\s\S]*?\bset:\s*\{/.exec(statement);
  if (set === null) return [];
  return [{ table, columns: keysAt(code, at + set.index + set[0].length - 1), line: lineOf(code, at) }];
}

function builderColumns(code: string, at: number): string[] {
  const set = /^\s*\.set\(\s*\{/.exec(code.slice(at, at + 200));
  // A set made elsewhere: its columns aren't known here, so the table's general rule applies.
  return set === null ? ["rest"] : keysAt(code, at + set[0].length - 1);
}

/** Keys of the object literal whose brace is at `at`. */
function keysAt(code: string, at: number): string[] {
  const end = closing(code, at) ?? code.length;
  const keys: string[] = [];
  let depth = 0;
  let isKey = true;
  for (let i = at + 1; i < end; i++) {
    const char = code.charAt(i);
    if (/[{([]/.test(char)) depth++;
    else if (/[})\]]/.test(char)) depth--;
    else if (depth === 0 && char === ",") isKey = true;
    else if (depth === 0 && isKey && /[A-Za-z_]/.test(char)) {
      const word = /^\w+/.exec(code.slice(i))?.[0] ?? "";
      keys.push(toSnake(word));
      i += word.length - 1;
      isKey = false;
    } else if (depth === 0 && isKey && char === ".") isKey = false;
  }
  return keys;
}

function sqlColumns(rest: string): string[] {
  const set = /^\s+(?:as\s+)?(?:\w+\s+)?set\s+([\s\S]*?)(?:\bwhere\b|\bfrom\b|\breturning\b|`|"|$)/i.exec(
    rest,
  );
  if (set === null) return ["rest"];
  const names = [...(set[1] ?? "").matchAll(/(?:^|,)\s*"?([a-z_]+)"?\s*=/g)].map((match) => match[1] ?? "");
  return names.length === 0 ? ["rest"] : names;
}

/** Why the write is not this file's to do, or undefined when it is. */
export function judgeWrite(path: string, write: Write, rules = WRITE_RULES): string | undefined {
  const own = rules.filter((rule) => rule.table === write.table);
  if (own.length === 0) return `${path}:${write.line} writes ${write.table}, which no rule gives a writer`;
  for (const column of write.columns) {
    const rule = own.find((r) => r.columns.includes(column)) ?? own.find((r) => r.columns.includes("rest"));
    if (rule !== undefined && !rule.files.test(path)) {
      return `${path}:${write.line} writes ${write.table}.${column}: ${rule.why} (${rule.files.source})`;
    }
  }
  return undefined;
}
