/** What desktops and their programs say goes to the database inside one statement for all: whatever it is, it stays text. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { NodeId, VmId } from "../../src/domain/ids.ts";
import { NEVER_REPORTED, type VmReport } from "../../src/domain/vm/facts.ts";
import { reportVms } from "../../src/node/report/report-vms.ts";
import { NodeDatabase } from "../support/node-database.ts";

let rows: NodeDatabase;
let nodeId: NodeId;
let liar: VmId;
let honest: VmId;

beforeAll(async () => {
  rows = await NodeDatabase.create("10.94.1");
  nodeId = await rows.addNode("box");
  [liar, honest] = [await rows.addVm("liar"), await rows.addVm("honest")];
  await rows.owner.execute(sql`update vms set node_id = ${nodeId}, epoch = 1`);
}, 120_000);
afterAll(() => rows.database.drop());

const said = async (vmId: VmId) => {
  const [row] = await rows.owner.execute<{ text: string }>(
    sql`select fault_text as text from vm_reports where vm_id = ${vmId}`,
  );
  return row?.text;
};
const writeOf = (vmId: VmId, text: string) => {
  const report: VmReport = { ...NEVER_REPORTED, state: "stopped", fault: { code: "start-failed", text } };
  return { vmId, epoch: 1, report, events: [{ code: "start-failed" as const, text, detail: { text } }] };
};
const report = (text: string) =>
  reportVms(rows.node, [writeOf(liar, text), writeOf(honest, "plain")], { nodeId, nowMs: 0 });

test.each([
  ["a quote", "'; delete from vms; --"],
  ["quotes and backslashes", "\\'; delete from vms; -- \\\\' \\' ''"],
  ["a quote after a half of a letter", "\u00bf'; delete from vms; --"],
  ["dollars and comments", "$1 $body$ /* ' */ -- '"],
  ["JSON", '"}], "vm_id": 1, [{"'],
  ["an escape that JSON knows", "\\u0000 \\u0027"],
])("%s", async (_what, text) => {
  await report(text);
  expect(await said(liar)).toBe(text);
  expect(await said(honest)).toBe("plain");
});

test.each([
  ["no letter", "a\u0000b", "ab"],
  ["half a letter", "cut \ud83d", "cut \ufffd"],
])(
  "with %s, which the database has no text of, it keeps nobody from being reported",
  async (_what, text, kept) => {
    await report("before");
    const written = await report(text);
    expect([...written.keys()].sort()).toEqual([liar, honest].sort());
    expect(await said(liar)).toBe(kept);
  },
);

test("of many letters at random comes back as it was", async () => {
  const alphabet = [
    "'",
    "\\",
    '"',
    "$",
    ";",
    "-",
    "é",
    "\u{1f600}",
    "\u2028",
    "\n",
    "%",
    "{",
    "E",
    "u0027",
    "x27",
  ];
  let seed = 7;
  const next = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  for (let round = 0; round < 200; round++) {
    const letters = Array.from({ length: 30 }, () => alphabet[Math.floor(next() * alphabet.length)] ?? "");
    const text = letters.join("");
    await report(text);
    expect(await said(liar)).toBe(text);
  }
  expect(await rows.owner.$count(sql`vms`)).toBeGreaterThan(1);
}, 30_000);
