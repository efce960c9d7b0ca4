import { expect, test } from "bun:test";
import { asId, type SessionId, type VmId } from "../domain/ids.ts";
import { NEVER_REPORTED } from "../domain/vm/facts.ts";
import { beside, step, type VmStep } from "../domain/vm/steps.ts";
import { silentLog } from "../lib/log.ts";
import type { VmMemory } from "./memory.ts";
import { runSteps, type StepDeps } from "./run-steps.ts";

const VM = asId<VmId>(7);

/** Steps that only tell: each report ends when the test says so. */
function setUp() {
  const told: string[] = [];
  const ends = new Map<string, (marks: string | undefined) => void>();
  const write = ({ events }: { readonly events: readonly { readonly text: string }[] }) => {
    const name = events[0]?.text ?? "";
    told.push(name);
    return new Promise<string | undefined>((resolve) => ends.set(name, resolve));
  };
  const deps = {
    reports: { write },
    clock: { monotonicMs: () => 0 },
    log: silentLog(),
    tell: () => {},
  } as unknown as StepDeps;
  const memory = {
    desktop: { vmId: VM, epoch: 1, wishMarks: "same", session: { id: asId<SessionId>(1) } },
    report: NEVER_REPORTED,
  } as unknown as VmMemory;
  /** `isOurs`: the desktop is still this node's. */
  const end = async (name: string, isOurs = true) => {
    ends.get(name)?.(isOurs ? "same" : undefined);
    await Bun.sleep(0);
  };
  const report = (text: string): VmStep => step("report", { events: [{ code: "disks-ready", text }] }, text);
  return { told, end, report, run: (steps: readonly VmStep[]) => runSteps(deps, memory, steps) };
}

test("a step waits for the one before", async () => {
  const { told, end, report, run } = setUp();
  const done = run([report("first"), report("second")]);
  expect(told).toEqual(["first"]);
  await end("first");
  expect(told).toEqual(["first", "second"]);
  await end("second");
  await done;
});

test("what is told beside the next step is waited for by the one after", async () => {
  const { told, end, report, run } = setUp();
  const done = run([beside(report("first")), report("second"), report("third")]);
  expect(told).toEqual(["first", "second"]);
  await end("second");
  expect(told).toEqual(["first", "second"]);
  await end("first");
  expect(told).toEqual(["first", "second", "third"]);
  await end("third");
  await done;
});

test("after a step that failed beside another nothing more is done", async () => {
  const { told, end, report, run } = setUp();
  const done = run([beside(report("first")), report("second"), report("third")]);
  await end("first", false);
  await end("second");
  await done;
  expect(told).toEqual(["first", "second"]);
});
