import { describe, expect, test } from "bun:test";
import { asId, type DiId } from "../ids.ts";
import { applyReport } from "./apply-report.ts";
import { NEVER_REPORTED, type VmReport } from "./facts.ts";

const NOW_MS = 5_000;
const RUNNING: VmReport = {
  state: "running",
  stateAtMs: 1_000,
  generationSeen: 4,
  tries: 1,
  nextTryAtMs: 2_000,
  diId: asId<DiId>(7),
  hasAgent: true,
  xState: "connected",
  fault: { code: "agent-lost", text: "gone" },
  hasNetwork: true,
  crashes: 2,
  idleSinceMs: 4_000,
  incarnation: 6,
  queuePosition: 3,
  queueDueAtMs: 9_000,
};

describe("what is known of a desktop", () => {
  test("stays as it is where a report says nothing", () => {
    expect(applyReport(RUNNING, {}, NOW_MS)).toEqual(RUNNING);
  });

  test("keeps the moment of its state when that is only said again", () => {
    expect(applyReport(RUNNING, { state: "running" }, NOW_MS).stateAtMs).toBe(1_000);
  });

  test("takes the moment with a new state", () => {
    expect(applyReport(RUNNING, { state: "stopping_1" }, NOW_MS)).toEqual({
      ...RUNNING,
      state: "stopping_1",
      stateAtMs: NOW_MS,
      // These belong to the state that has ended.
      hasNetwork: undefined,
      idleSinceMs: undefined,
      queuePosition: undefined,
      queueDueAtMs: undefined,
    });
  });

  test("keeps what the network check said from the boot into the running desktop", () => {
    const booting = { ...RUNNING, state: "starting_2", hasNetwork: false } as const;
    expect(applyReport(booting, { state: "running" }, NOW_MS).hasNetwork).toBe(false);
  });

  test("is emptied by null", () => {
    const emptied = applyReport(RUNNING, { nextTryAtMs: null, diId: null, fault: null }, NOW_MS);
    expect(emptied).toEqual({ ...RUNNING, nextTryAtMs: undefined, diId: undefined, fault: undefined });
  });

  test("is changed by what isn't null, zero and false included", () => {
    const patch = { generationSeen: 0, tries: 0, hasAgent: false, xState: "" };
    expect(applyReport(RUNNING, patch, NOW_MS)).toEqual({ ...RUNNING, ...patch });
  });

  test("never comes to an illegal state", () => {
    expect(() => applyReport(NEVER_REPORTED, { state: "running" }, NOW_MS)).toThrow(
      "from stopped to running",
    );
    expect(() => applyReport(RUNNING, { state: "starting_1" }, NOW_MS)).toThrow();
  });

  test("has no room for the events: they are the trail's", () => {
    const events = [{ code: "agent-lost", text: "It is lost." }] as const;
    expect(applyReport(RUNNING, { events }, NOW_MS)).toEqual(RUNNING);
  });
});
