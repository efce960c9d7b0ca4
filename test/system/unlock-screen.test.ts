/**
 * A locked screen in a real desktop, from the keys that a person presses at an NX client to the password's hash in the
 * database and back: i3lock, PAM, the agent, the guest channel, the node's part, the auth process.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createAuthClient } from "../../src/auth/client.ts";
import { hashPassword } from "../../src/auth/password.ts";
import { runAuth } from "../../src/auth/run-auth.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createGuestChannels, type GuestChannels } from "../../src/node/guest-channel/guest-channels.ts";
import { UnlockScreens } from "../../src/node/unlock-screens.ts";
import { setUserPassword } from "../../src/service/user/set-password.ts";
import { createAuthParts } from "../support/auth-parts.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { SEED_PASSWORD, seedSite } from "../support/db-seed.ts";
import { createGuestLab, createScreen, type GuestLab } from "./guest-lab.ts";

const PLACE = { instance: "unlklab", network: "10.96.1", screen: ":96" };
const LOCKED = "#20a020";
const WINDOW = "#c02040";
const PAM = readFileSync(
  new URL("../../appliance/images/light/files/etc/pam.d/i3lock", import.meta.url),
  "utf8",
);
const BOBS = "the password of bob";
const folder = mkdtempSync(`${tmpdir()}/qvd-unlock-`);
const ending = new AbortController();
let database: TestDatabase;
let lab: GuestLab;
let screen: Awaited<ReturnType<typeof createScreen>>;
let client: ReturnType<typeof screen.connect>;
let channels: GuestChannels;
let authEnded: Promise<void>;
const verdicts: boolean[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const owner = database.open("qvd_owner").orm;
  const seed = await seedSite(owner, { hashPassword });
  const system = { db: owner, actor: { kind: "system", what: "test" } } as const;
  await setUserPassword(system, { hashPassword }, { userId: seed.bob.userId, password: BOBS });
  const path = `${folder}/auth`;
  const ready = Promise.withResolvers<void>();
  const log = silentLog();
  const parts = createAuthParts(database.open("qvd_auth").orm);
  authEnded = runAuth({ socketPaths: [path], ...parts, log, signal: ending.signal, onReady: ready.resolve });
  await ready.promise;
  lab = await createGuestLab({ place: PLACE });
  screen = await createScreen(PLACE);
  const unlocks = new UnlockScreens({
    db: database.open("qvd_node").orm,
    nodeId: seed.nodeId,
    auth: createAuthClient({ path, log }),
    channels: () => ({
      answerUnlock: (vmId, answer) => {
        verdicts.push(answer.isUnlocked);
        channels.answerUnlock(vmId, answer);
      },
    }),
    clock: systemClock,
    log,
    signal: ending.signal,
  });
  // The lab's desktop has the number of alice's.
  expect(lab.vmId).toBe(seed.alice.vmId);
  channels = createGuestChannels({
    log,
    clock: systemClock,
    onEvent: (vmId, event) => unlocks.take(vmId, event),
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  await lab.start();
  await lab.inside(`cat > /etc/pam.d/i3lock <<'END'\n${PAM}\nEND`);
  expect(await waitFor(() => channels.read(lab.vmId)?.isAttached === true, { timeoutMs: 30_000 })).toBe(true);
  await channels.prepareSession(lab.vmId, {
    session: 1,
    account: { login: "alice", uid: 2001, fullName: "Alice" },
    client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
    accept: `${PLACE.network}.1`,
    slaveKey: "k",
  });
  client = screen.connect();
  await shows(WINDOW, 50_000);
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await screen?.stop();
  await lab?.stop();
  ending.abort();
  await authEnded;
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
}, 180_000);

async function shows(colour: string, least: number): Promise<void> {
  const isThere = async () => (await client.countPixels(colour)) > least;
  expect(await waitFor(isThere, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
}

async function lock(): Promise<void> {
  await lab.inside(
    `su alice -s /bin/sh -c 'DISPLAY=:100 i3lock --color=${LOCKED.slice(1)} --no-unlock-indicator > /dev/null 2>&1 < /dev/null'`,
  );
  await shows(LOCKED, 500_000);
}

/** At the client's keyboard. Enter is a key of its own: a typed newline comes as another, which lockers pass over. */
async function press(text: string): Promise<void> {
  const env = { PATH: "/usr/bin:/bin", DISPLAY: PLACE.screen };
  await runOk("clicking", ["xdotool", "mousemove", "300", "300", "click", "1"], { env });
  await runOk("typing", ["xdotool", "key", "Escape", "type", "--delay", "20", text], { env });
  await runOk("pressing Enter", ["xdotool", "key", "Return"], { env });
}

/** Types, and waits until somebody has judged it. */
async function type(text: string): Promise<boolean | undefined> {
  const before = verdicts.length;
  await press(text);
  await waitFor(() => verdicts.length > before, { timeoutMs: 30_000, everyMs: 50 });
  return verdicts[before];
}

const isLocked = async () => (await lab.inside("pgrep -x i3lock || true")) !== "";

test("stays locked for a wrong password and for another user's, and opens for its own user's", async () => {
  await lock();
  expect(await type("wrong password")).toBe(false);
  expect(await type(BOBS)).toBe(false);
  expect(await isLocked()).toBe(true);
  await shows(LOCKED, 500_000);
  expect(await type(SEED_PASSWORD)).toBe(true);
  expect(await waitFor(async () => !(await isLocked()), { timeoutMs: 30_000, everyMs: 100 })).toBe(true);
  await shows(WINDOW, 50_000);
}, 120_000);

test("proves nobody but the session's user, and only to them", async () => {
  const ask = (user: string, as: string) =>
    lab.inside(
      `printf '${SEED_PASSWORD}' > /tmp/typed; chmod 644 /tmp/typed; su ${as} -s /bin/sh -c 'PAM_USER=${user} /opt/qvd/qvd guest unlock < /tmp/typed > /dev/null'; echo $?`,
    );
  expect(await ask("alice", "alice")).toBe("0");
  expect(await ask("root", "alice")).toBe("1");
  expect(await ask("alice", "nobody")).toBe("1");
}, 180_000);

test("stays locked while the node is away, and opens when it is back", async () => {
  await lock();
  channels.close(lab.vmId);
  await press(SEED_PASSWORD);
  expect(await waitFor(async () => !(await isLocked()), { timeoutMs: 3_000, everyMs: 200 })).toBeFalsy();
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  expect(await waitFor(() => channels.read(lab.vmId)?.isAttached === true, { timeoutMs: 30_000 })).toBe(true);
  expect(await type(SEED_PASSWORD)).toBe(true);
  expect(await waitFor(async () => !(await isLocked()), { timeoutMs: 30_000, everyMs: 100 })).toBe(true);
}, 120_000);
