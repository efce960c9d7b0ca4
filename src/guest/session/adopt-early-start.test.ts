import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { adoptEarlyStart } from "./adopt-early-start.ts";
import { readRecord } from "./record.ts";

const UID = process.getuid?.() ?? 0;
const ORDER = { account: { login: "alice", uid: UID, fullName: "" }, session: 5 };

let folder: string;
const children: Bun.Subprocess[] = [];
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-adopt-`);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const places = () => ({ early: `${folder}/early`, record: `${folder}/session.json` });

function begin(command: readonly string[], isLeader: boolean): number {
  const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"], detached: isLeader });
  children.push(child);
  writeFileSync(places().early, `${child.pid}\n`);
  return child.pid;
}

test("a session that init has begun becomes one that is found again", async () => {
  const pid = begin(["sleep", "60"], true);
  expect(await adoptEarlyStart(places(), ORDER)).toBe(true);
  expect(readRecord(places().record)).toMatchObject({
    leader: { pid },
    nxagent: null,
    session: 5,
    login: "alice",
    uid: UID,
  });
});

test("a script that has ended without one leaves nothing to adopt", async () => {
  begin(["true"], true);
  await children[0]?.exited;
  expect(await adoptEarlyStart(places(), ORDER)).toBe(false);
  expect(readRecord(places().record)).toBeUndefined();
});

test("a script that is still at it is waited for", async () => {
  begin(["sh", "-c", "sleep 0.1; exec setsid sleep 60"], false);
  expect(await adoptEarlyStart(places(), ORDER)).toBe(true);
});

test("nothing was begun", async () => {
  expect(await adoptEarlyStart(places(), ORDER)).toBe(false);
});
