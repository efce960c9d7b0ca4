import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { runOk } from "../../lib/run.ts";
import {
  type BrokerState,
  brokerStateFile,
  readBrokerState,
  removeBrokerState,
  writeBrokerState,
} from "./state-file.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-state-`);
afterAll(() => rmSync(folder, { recursive: true }));

const STATE: BrokerState = {
  phase: "draining",
  open: 3,
  sessions: 2,
  turnedAway: 4,
  deadlineAtMs: 1_000,
  certificateEndsAtMs: null,
  tlsFault: null,
};

test("a worker's state is read as it was written, and gone once removed", () => {
  const path = brokerStateFile(folder, 7);
  writeBrokerState(path, STATE);
  expect(readBrokerState(path)).toEqual(STATE);
  removeBrokerState(path);
  removeBrokerState(path);
  expect(existsSync(path)).toBe(false);
  expect(readBrokerState(path)).toBeUndefined();
});

test("nothing else that a worker could lay there is taken for one, nor waited for", async () => {
  const lay = (name: string, text: string) => {
    writeFileSync(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const good = lay("good", JSON.stringify(STATE));
  symlinkSync(good, `${folder}/link`);
  await runOk("make a pipe", ["mkfifo", `${folder}/pipe`]);
  const long = lay("long", JSON.stringify({ ...STATE, more: "x".repeat(5_000) }));
  const broken = lay("broken", '{"phase":');
  const other = lay("other", JSON.stringify({ ...STATE, sessions: -1 }));
  for (const path of [`${folder}/link`, `${folder}/pipe`, folder, long, broken, other])
    expect(readBrokerState(path)).toBeUndefined();
  expect(readBrokerState(good)).toEqual(STATE);
});
