import { describe, expect, test } from "bun:test";
import { describeLogTail, parseLogLine, parseStateFile } from "./log-line.ts";
import type { SessionEvent } from "./state.ts";

describe("parseLogLine", () => {
  const lines: readonly (readonly [string, SessionEvent | undefined])[] = [
    ["Info: Waiting for connection from '10.93.1.1' on socket 'tcp:*:4100'.", "waiting-for-client"],
    ["Info: Waiting for connection from any host on socket 'tcp:*:4050'.", "waiting-for-client"],
    ["Session: Session started at 'Sat Nov 21 15:05:54 2026'.", "client-connected"],
    ["Session: Session resumed at 'Sat Nov 21 15:06:03 2026'.", "client-connected"],
    ["Session: Suspending session at 'Sat Nov 21 15:05:56 2026'.", "suspend-began"],
    ["Session: Session suspended at 'Sat Nov 21 15:05:57 2026'.", "suspended"],
    ["Session: Resuming session at 'Sat Nov 21 15:05:57 2026'.", "resume-began"],
    ["Session: Terminating session at 'Sat Nov 21 15:05:57 2026'.", "end-began"],
    ["Session: Session terminated at 'Sat Nov 21 15:05:57 2026'.", "end-began"],
    ["Session: Aborting session at 'Sat Nov 21 15:05:57 2026'.", "end-began"],
    ["Session: Session aborted at 'Sat Nov 21 15:05:57 2026'.", "end-began"],
    ["Session: Starting session at 'Sat Nov 21 15:05:54 2026'.", undefined],
    ["Session: Display failure detected at 'Sat Nov 21 15:05:57 2026'.", undefined],
    ["Info: Aborting the procedure due to signal '1'.", undefined],
    ["Info: Agent running with pid '1'.", undefined],
    ["a program says: Session: Session suspended at noon", undefined],
    ["", undefined],
  ];
  for (const [line, event] of lines) {
    test(`reads "${line.slice(0, 50)}" as ${event ?? "nothing"}`, () => {
      expect(parseLogLine(line)).toBe(event);
    });
  }
});

describe("parseStateFile", () => {
  const words: readonly (readonly [string, SessionEvent | undefined])[] = [
    ["RUNNING", "client-connected"],
    ["SUSPENDED", "suspended"],
    ["TERMINATED", "end-began"],
    // Says so for a dead process too.
    ["STARTING", undefined],
    ["RESUMING", undefined],
    ["", undefined],
    ["root:x:0:0", undefined],
  ];
  for (const [word, event] of words) {
    test(`reads "${word}" as ${event ?? "nothing"}`, () => expect(parseStateFile(word)).toBe(event));
  }
});

describe("describeLogTail", () => {
  test("tells what nxagent complained of and leaves out its banner and key list", () => {
    const lines = [
      "NXAGENT - Version 3.5.99.26",
      "Copyright (c) 2001, 2011 NoMachine",
      "Info: Agent running with pid '29'.",
      "  fullscreen            : Ctrl+Shift+Alt+f",
      "Error: Aborting session with 'Unable to open display'.",
    ];
    expect(describeLogTail(lines)).toBe("Error: Aborting session with 'Unable to open display'.");
  });

  test("says that nothing was said", () => {
    expect(describeLogTail([""])).toBe("it said nothing");
  });

  test("is bounded", () => {
    expect(describeLogTail(Array.from({ length: 50 }, () => "Error: x".repeat(50))).length).toBe(400);
  });
});
