/** The door in a desktop that screen lockers knock at, and who is let talk through it. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { askUnlock } from "../../src/guest/ask-unlock.ts";
import { UnlockDoor } from "../../src/guest/unlock-door.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";

type Sent = { readonly request: number; readonly secret: string };

let folder: string;
let path: string;
let door: UnlockDoor;
let sent: Sent[];
let isAttached: boolean;
let whose: { login: string; uid: number } | undefined;

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-door-`);
  path = `${folder}/unlock`;
  sent = [];
  isAttached = true;
  whose = { login: "ann", uid: 2001 };
  door = new UnlockDoor({
    path,
    log: silentLog(),
    whose: () => whose,
    send: (message) => {
      if (isAttached) sent.push(message);
      return isAttached;
    },
  });
});
afterEach(() => {
  door.close();
  rmSync(folder, { recursive: true });
});

const ask = (secret: string, login = "ann") => askUnlock(path, { login, secret });
const answer = (request: number, isUnlocked: boolean, text = "") =>
  door.answer({ type: "unlock-verdict", request, isUnlocked, text });
const isSent = (count: number) => waitFor(() => sent.length === count, { timeoutMs: 15_000, everyMs: 5 });

test("is there once there is a session, for its user alone", async () => {
  whose = undefined;
  door.admit();
  expect((await ask("secret")).isUnlocked).toBe(false);
  whose = { login: "ann", uid: 2001 };
  door.admit();
  expect(statSync(path)).toMatchObject({ uid: 2001 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  whose = { login: "bob", uid: 2002 };
  door.admit();
  expect(statSync(path)).toMatchObject({ uid: 2002 });
});

test("passes on what was typed and brings back the verdict, each to its own asker", async () => {
  door.admit();
  const asked = [ask("one"), ask('two "\\ é')];
  await isSent(2);
  expect(sent.map(({ secret }) => secret).sort()).toEqual(["one", 'two "\\ é']);
  for (const { request, secret } of sent) answer(request, secret === "one", secret === "one" ? "" : "No.");
  expect(await Promise.all(asked)).toEqual([
    { isUnlocked: true, text: "" },
    { isUnlocked: false, text: "No." },
  ]);
});

test("asks for nobody but the session's user, and not without a node", async () => {
  door.admit();
  expect((await ask("secret", "root")).isUnlocked).toBe(false);
  expect((await ask("secret", "")).isUnlocked).toBe(false);
  expect((await ask("x".repeat(1025))).isUnlocked).toBe(false);
  isAttached = false;
  expect(await ask("secret")).toMatchObject({ isUnlocked: false });
  expect(sent).toEqual([]);
});

test("lets few wait at a time, and stays locked when it is closed meanwhile", async () => {
  door.admit();
  const waiting = [ask("one"), ask("two")];
  await isSent(2);
  expect((await ask("three")).text).toContain("Wait");
  answer(99, true);
  door.close();
  expect((await Promise.all(waiting)).map(({ isUnlocked }) => isUnlocked)).toEqual([false, false]);
});
