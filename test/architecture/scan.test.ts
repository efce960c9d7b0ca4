/** The architecture test is only worth what its scanner sees: each kind of breach, shown to it. */

import { describe, expect, test } from "bun:test";
import { findFunctions } from "./functions.ts";
import { maskSource } from "./mask.ts";
import { findCycles, readSource } from "./tree.ts";
import { findWrites, judgeWrite } from "./write-rules.ts";

const BACKTICK = "`";
const TABLES = new Set(["vms", "sessions", "vm_reports", "users"]);

describe("the mask", () => {
  test.each([
    ['a("x{y"); // {', 'a("   ");     '],
    ["/* { */ b", "        b"],
    ["const r = /[/{]\\//g; c", "const r = /      /g; c"],
    ["x = a / b; // c", "x = a / b;     "],
    [`t = ${BACKTICK}a{\${f({})}b}${BACKTICK}; d`, `t = ${BACKTICK}    f({})   ${BACKTICK}; d`],
    ["<p>it's {x}</p>", "<p>it's {x}</p>"],
  ])("blanks what isn't code in %p", (text, expected) => {
    expect(maskSource(text)).toBe(expected);
    expect(maskSource(text)).toHaveLength(text.length);
  });

  test("keeps strings when asked, comments never", () => {
    expect(maskSource('import "x"; // y', { keepStrings: true })).toBe('import "x";     ');
  });
});

describe("the function finder", () => {
  const named = (text: string) =>
    findFunctions(maskSource(text)).map((f) => [f.name, f.lines, f.parameters] as const);

  test.each([
    ["function f(a: number, b = { c: 1 }): { d: number } {\n  return 1;\n}", "f", 3, 2],
    ["export async function g<T extends Map<string, () => void>>(\n  a: T,\n): Promise<T> {\n}", "g", 4, 1],
    ["class A {\n  async #h(a: string): Promise<{ x: 1 } | undefined> {\n    a;\n  }\n}", "#h", 3, 1],
    ["const k = (a: string) => {\n  a;\n};", "k", 3, 0],
    ["const Page = (props: Props) => (\n  <p>\n  </p>\n);", "Page", 4, 0],
  ])("measures %p", (text, name, lines, parameters) => {
    expect(named(text)).toContainEqual([name, lines, parameters]);
  });

  test("takes neither a call nor an overload for a function", () => {
    expect(named("function f(a: string): void;\nif (x) {\n}\n  call(a, b);\n  while (y) {\n  }\n")).toEqual(
      [],
    );
  });
});

describe("the import reader", () => {
  test("tells types from values, packages from files and lazy imports from none", () => {
    const file = readSource(
      "src/a/b.ts",
      'import type { X } from "../lib/x.ts";\nimport {\n  y,\n} from "./y.ts";\nimport "@scope/p/q";\nconst z = await import("./z.ts");\n// import { n } from "./n.ts";\n',
    );
    expect(file.imports).toEqual([
      { target: "src/lib/x.ts", isLocal: true, isTypeOnly: true },
      { target: "src/a/y.ts", isLocal: true, isTypeOnly: false },
      { target: "@scope/p", isLocal: false, isTypeOnly: false },
      { target: "src/a/z.ts", isLocal: true, isTypeOnly: false },
    ]);
  });

  test("finds a cycle of values and lets types be", () => {
    const one = readSource("src/one.ts", 'import { two } from "./two.ts";');
    expect(findCycles([one, readSource("src/two.ts", 'import type { One } from "./one.ts";')])).toEqual([]);
    expect(findCycles([one, readSource("src/two.ts", 'export { one } from "./one.ts";')])).toEqual([
      ["src/one.ts", "src/two.ts"],
    ]);
  });
});

describe("the write finder", () => {
  const judge = (path: string, text: string) =>
    findWrites(readSource(path, text), TABLES).map((write) => judgeWrite(path, write) ?? "fine");

  test.each([
    ["src/broker/list.ts", "await db.update(vms).set({ wish: 1 });"],
    ["src/service/vm/start.ts", `await sql${BACKTICK}update vm_reports set state = 'x' where 1${BACKTICK};`],
    [
      "src/service/session/end.ts",
      "await tx.update(sessions).set({\n  endWishedAt: now(),\n  endedAt: now(),\n});",
    ],
    ["src/node/report/session.ts", `sql${BACKTICK}UPDATE \${sessions} SET end_cause = 'x'${BACKTICK}`],
    ["src/admin/pages/a.ts", "db.insert(schema.users).values({});"],
    ["src/auth/verify.ts", `sql${BACKTICK}delete from users${BACKTICK}`],
  ])("refuses that %p runs %p", (path, text) => {
    expect(judge(path, text).filter((verdict) => verdict !== "fine")).not.toEqual([]);
  });

  test.each([
    ["src/service/vm/start.ts", "await tx.update(vms).set({ wish: 'running', ...by });"],
    [
      "src/node/report/vm.ts",
      "await tx.insert(vmReports).values({ vmId }).onConflictDoUpdate({ target: x, set: { state } });",
    ],
    [
      "src/broker/record.ts",
      "await db.update(sessions).set({ endedAt: now(), bytesToClient: 1n }).where(eq(sessions.id, id));",
    ],
    ["src/service/session/request.ts", "await tx.insert(sessions).values({ vmId });"],
    ["src/db/queries/vm.ts", `sql${BACKTICK}select * from vms for update skip locked${BACKTICK}`],
  ])("lets %p run %p", (path, text) => {
    expect(judge(path, text).filter((verdict) => verdict !== "fine")).toEqual([]);
  });
});
