import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { NEVER_REPORTED, type VmReport } from "../domain/vm/facts.ts";
import { listNews } from "./list-news.ts";

type Drain = "finish" | "move" | null;
const memory = (vm: { marks: string; drain?: Drain; report?: Partial<VmReport>; isRunning?: boolean }) => ({
  desktop: { wish: "running" as const, wishMarks: vm.marks, drain: vm.drain ?? null },
  report: { ...NEVER_REPORTED, state: "running" as const, ...vm.report },
  running: vm.isRunning ? { action: "report" as const, abort: new AbortController() } : undefined,
});
const known = (vms: Readonly<Record<number, Parameters<typeof memory>[0]>>) =>
  new Map(Object.entries(vms).map(([id, vm]) => [asId<VmId>(Number(id)), memory(vm)]));
const news = (wishes: string, vms: Parameters<typeof known>[0]) => listNews(wishes, known(vms)).map(Number);

test.each([
  ["nothing when all is as it was read", "\n1(a)\n2(b,)", { 1: { marks: "(a)" }, 2: { marks: "(b,)" } }, []],
  ["the one that is wished anew", "\n1(a)\n2(c)", { 1: { marks: "(a)" }, 2: { marks: "(b)" } }, [2]],
  ["one that came", "\n1(a)\n2(b)", { 1: { marks: "(a)" } }, [2]],
  ["one that went", "\n1(a)", { 1: { marks: "(a)" }, 2: { marks: "(b)" } }, [2]],
  ["none where there are none", "", {}, []],
  [
    "all of a node that is to be drained",
    "finish\n1(a)\n2(b)",
    { 1: { marks: "(a)" }, 2: { marks: "(b)" } },
    [1, 2],
  ],
  [
    "none of a node that is drained already",
    "move\n1(a)",
    { 1: { marks: "(a)", drain: "move" as const } },
    [],
  ],
])("lists %s", (_what, wishes, vms, expected) => {
  expect(news(wishes, vms)).toEqual(expected);
});

test.each([
  ["one that waits for what nobody tells", { report: { state: "stopped" as const } }, [1]],
  ["but none that something is done to", { report: { state: "starting_1" as const }, isRunning: true }, []],
  ["and none whose turn will come", { report: { state: "starting_1" as const, queuePosition: 3 } }, []],
])("lists %s", (_what, vm, expected) => {
  expect(news("\n1(a)", { 1: { marks: "(a)", ...vm } })).toEqual(expected);
});
