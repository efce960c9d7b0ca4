import { expect, test } from "bun:test";
import { asId, type SessionId, type VmId } from "../domain/ids.ts";
import { silentLog } from "../lib/log.ts";
import { EarlySessions } from "./early-sessions.ts";

const [ONE, TWO] = [asId<VmId>(1), asId<VmId>(2)];
const SESSION = asId<SessionId>(31);
const IDLE = { isIdle: true };
const NOTHING_RUNS = new Map<VmId, { running: unknown }>();

/** Time goes on by hand; `listening` are those whose nxagent the kernel shows. */
function setUp({ lookMs = 0 } = {}) {
  let nowMs = 0;
  let looks = 0;
  const calls: { atMs: number; call: () => void }[] = [];
  const [opened, told, listening] = [[] as string[], [] as VmId[], new Set<VmId>()];
  const sessions = new EarlySessions({
    isListening: (vmId) => {
      nowMs += lookMs;
      looks++;
      return listening.has(vmId);
    },
    gates: { shut: (path) => () => void (opened.includes(path) || opened.push(path)), openLeft: () => {} },
    onListening: (vmId) => told.push(vmId),
    clock: { monotonicMs: () => nowMs },
    timers: {
      after(ms, call) {
        const entry = { atMs: nowMs + ms, call };
        calls.push(entry);
        return () => void (calls.includes(entry) && calls.splice(calls.indexOf(entry), 1));
      },
      every: () => () => {},
    },
    log: silentLog(),
  });
  const expectOne = (vmId: VmId) =>
    sessions.expect(vmId, { sessionId: SESSION, gatePath: `gate ${vmId}`, ownerUid: 0 });
  const pass = (ms: number) => {
    const endMs = nowMs + ms;
    for (;;) {
      const next = calls.filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      calls.splice(calls.indexOf(next), 1);
      nowMs = next.atMs;
      next.call();
    }
    nowMs = endMs;
  };
  return { sessions, expectOne, pass, opened, told, listening, calls, looks: () => looks };
}

test("says once that a session listens, soon after it does", () => {
  const { sessions, expectOne, pass, told, listening } = setUp();
  expectOne(ONE);
  sessions.watch(ONE);
  pass(40);
  expect(sessions.read(ONE)).toEqual({ sessionId: SESSION, isListening: false });
  listening.add(ONE);
  pass(5);
  expect(sessions.read(ONE)).toEqual({ sessionId: SESSION, isListening: true });
  pass(500);
  expect(told).toEqual([ONE]);
});

test("looks that take long come seldom", () => {
  const { sessions, expectOne, pass, looks } = setUp({ lookMs: 20 });
  expectOne(ONE);
  sessions.watch(ONE);
  pass(500);
  // 8 ms, then 20 for one and 80 of rest.
  expect(looks()).toBe(5);
});

test("agents wait while anybody waits for a session, and no longer", () => {
  const { sessions, expectOne, opened } = setUp();
  for (const vmId of [ONE, TWO]) expectOne(vmId);
  sessions.letGoBetween({ isIdle: false }, NOTHING_RUNS);
  sessions.letGoBetween(IDLE, new Map([[TWO, { running: "report-session" }]]));
  expect(opened).toEqual([]);
  sessions.letGoBetween(IDLE, NOTHING_RUNS);
  expect(opened).toEqual(["gate 1", "gate 2"]);
});

test("agents don't wait for a desktop whose own was let go before, whatever it does now", () => {
  const { sessions, expectOne, opened } = setUp();
  expectOne(ONE);
  sessions.letGoBetween(IDLE, NOTHING_RUNS);
  expectOne(TWO);
  sessions.letGoBetween(IDLE, new Map([[ONE, { running: "prepare-session" }]]));
  expect(opened).toEqual(["gate 1", "gate 2"]);
});

test("an agent waits three seconds at most, whatever others do", () => {
  const { expectOne, pass, opened } = setUp();
  expectOne(ONE);
  pass(2_999);
  expect(opened).toEqual([]);
  pass(1);
  expect(opened).toEqual(["gate 1"]);
});

test("a start that is over is forgotten, and its agent let go", () => {
  const { sessions, expectOne, pass, opened, told, listening, calls } = setUp();
  expectOne(ONE);
  sessions.watch(ONE);
  sessions.end(ONE);
  listening.add(ONE);
  pass(100);
  expect([sessions.read(ONE), opened, told, calls.length]).toEqual([undefined, ["gate 1"], [], 0]);
});

test("a desktop that never listens isn't looked at for ever", () => {
  const { sessions, expectOne, pass, told, calls } = setUp();
  expectOne(ONE);
  sessions.watch(ONE);
  pass(12_000);
  expect([told, calls.length]).toEqual([[], 0]);
});

test("what wasn't expected isn't watched", () => {
  const { sessions, calls } = setUp();
  sessions.watch(ONE);
  sessions.end(ONE);
  expect([sessions.read(ONE), calls.length]).toEqual([undefined, 0]);
});
