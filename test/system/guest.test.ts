import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createConnection } from "node:net";
import type { XState } from "../../src/domain/session/x-state.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type GuestEvent,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { NX_PORT } from "../../src/wire/guest/messages.ts";
import { ADDRESS, createGuestLab, createScreen, GATEWAY, type GuestLab } from "./guest-lab.ts";

const BACKGROUND = "#204080";
const WINDOW = "#c02040";
const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "alice.b", uid: 2001, fullName: "Alice: the, first" },
  client: { keyboard: "pc105/es", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: GATEWAY,
  slaveKey: "k",
};

let lab: GuestLab;
let screen: Awaited<ReturnType<typeof createScreen>>;
let channels: GuestChannels;
const events: GuestEvent[] = [];

beforeAll(async () => {
  lab = await createGuestLab();
  screen = await createScreen();
  channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, event) => void events.push(event),
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  await lab.start();
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await screen?.stop();
  await lab?.stop();
}, 180_000);

async function becomes(state: XState, timeoutMs = 60_000): Promise<void> {
  const seen = await waitFor(() => channels.read(lab.vmId)?.xState === state, { timeoutMs, everyMs: 20 });
  expect(seen, `x state ${channels.read(lab.vmId)?.xState}, wanted ${state}`).toBe(true);
}

async function isPainted(client: ReturnType<typeof screen.connect>): Promise<void> {
  const both = async () =>
    (await client.countPixels(WINDOW)) > 50_000 && (await client.countPixels(BACKGROUND)) > 300_000;
  expect(await waitFor(both, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
}

// The tests are the chapters of one desktop's life, in this order.
describe("a real desktop", () => {
  test("attaches its agent soon after its start", async () => {
    const hasSpoken = () => channels.read(lab.vmId)?.address !== null;
    expect(await waitFor(hasSpoken, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
    expect(channels.read(lab.vmId)).toMatchObject({ address: ADDRESS, xState: "none", session: null });
  });

  test("refuses root as the person, and harms nothing", async () => {
    const before = await lab.inside("md5sum /etc/passwd /etc/group; ls -la /root");
    const account = { login: "root", uid: 0, fullName: "" };
    const refused = channels.prepareSession(lab.vmId, { ...REQUEST, account });
    await expect(refused).rejects.toThrow("account-refused");
    await waitFor(() => false, { timeoutMs: 200 });
    expect(await lab.inside("md5sum /etc/passwd /etc/group; ls -la /root")).toBe(before);
  });

  test("shows its session to Debian's nxproxy", async () => {
    await channels.prepareSession(lab.vmId, REQUEST);
    await becomes("listening");
    const client = screen.connect();
    await isPainted(client);
    await becomes("connected");
    await client.type("typed over nx");
    const isThere = async () => (await lab.inside("cat /home/alice.b/typed")).includes("typed over nx");
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
  }, 120_000);

  test("gives the person an account, a home and an environment of their own", async () => {
    expect(await lab.inside("getent passwd alice.b")).toBe(
      "alice.b:x:2001:2001:Alice  the  first:/home/alice.b:/bin/bash",
    );
    expect(await lab.inside("getent group alice.b; getent shadow alice.b; getent gshadow alice.b")).toBe(
      "alice.b:x:2001:\nalice.b:!::0:99999:7:::\nalice.b:!::",
    );
    // What the system's own checkers say of the account: nothing.
    expect(await lab.inside("(pwck -r -q; grpck -r) 2>&1 | grep -F alice")).toBe("");
    expect(await lab.inside("stat -c '%u:%g %a' /home/alice.b /home/alice.b/.profile /run/user/2001")).toBe(
      "2001:2001 700\n2001:2001 644\n2001:2001 700",
    );
    expect(await lab.inside("cat /home/alice.b/session-env")).toBe(
      "/home/alice.b alice.b /bin/bash C.UTF-8 /run/user/2001\nbus",
    );
    expect(await lab.inside("stat -c %U /proc/$(pgrep -o nxagent)")).toBe("alice.b");
  });

  test("shows a notice to the person, as a window of their own", async () => {
    // The image has no program for it; any that opens a window shows that display, rights and words are right.
    const script =
      "#!/bin/sh\nfor last; do :; done\nexec xterm -title notice -e sh -c 'sleep 30 # '\"$last\"";
    await lab.inside(
      `printf '%s\n' '${script.replaceAll("'", "'\\''")}' >/usr/local/bin/xmessage; chmod 755 /usr/local/bin/xmessage`,
    );
    await channels.notify(lab.vmId, "There is a newer version");
    const owner = () => lab.inside("ps -o user=,args= -C xterm | grep 'title notice'");
    expect(await waitFor(async () => (await owner()) !== "", { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
    expect(await owner()).toMatch(/^alice\.b .*There is a newer\s+version/);
    await lab.inside("pkill -f 'title notice'; rm /usr/local/bin/xmessage");
    // What follows counts the terminals.
    expect(await waitFor(async () => (await owner()) === "", { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
  }, 120_000);

  test("lets nobody but its root speak to the node", async () => {
    const asPerson =
      "setpriv --reuid=2001 --regid=2001 --clear-groups sh -c 'test -w /run/qvd/guest.sock && echo open'";
    expect(await lab.inside(asPerson)).toBe("");
    expect(await lab.inside("test -w /run/qvd/guest.sock && echo open")).toBe("open");
    expect(await lab.inside("touch /run/qvd/x 2>&1 && echo made")).not.toContain("made");
  });

  test("keeps the windows over suspend and resume", async () => {
    const xterm = await lab.inside("pgrep xterm");
    await channels.suspendSession(lab.vmId);
    expect(channels.read(lab.vmId)?.xState).toBe("suspended");
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 2 });
    const client = screen.connect();
    await isPainted(client);
    await becomes("connected");
    expect(await lab.inside("pgrep xterm")).toBe(xterm);
    await client.drop();
    await becomes("suspended");
    expect(channels.read(lab.vmId)?.session).toBe(2);
  }, 120_000);

  test("keeps the session when its agent is killed, and the next agent has it again", async () => {
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 3 });
    const client = screen.connect();
    await isPainted(client);
    await becomes("connected");
    const xterm = await lab.inside("pgrep xterm");
    const attachments = () => events.filter((event) => event.type === "attached");
    const before = attachments().length;
    await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
    expect(await waitFor(() => attachments().length > before, { timeoutMs: 60_000 })).toBe(true);
    expect(attachments().at(-1)).toMatchObject({ isNewBoot: false });
    await becomes("connected");
    expect(channels.read(lab.vmId)?.session).toBe(3);
    expect(await lab.inside("pgrep xterm")).toBe(xterm);
    expect(await client.countPixels(WINDOW)).toBeGreaterThan(50_000);
  }, 120_000);

  test("hands the session over to a second client", async () => {
    const xterm = await lab.inside("pgrep xterm");
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 4 });
    const client = screen.connect();
    await isPainted(client);
    await becomes("connected");
    expect(await lab.inside("pgrep xterm")).toBe(xterm);
  }, 120_000);

  test("makes a place of its own where somebody sat down and left before a word was said", async () => {
    await channels.suspendSession(lab.vmId);
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 5 });
    const mute = createConnection({ host: ADDRESS, port: NX_PORT });
    const isShut = async () => (await lab.inside("ss -Htln")).includes(`:${NX_PORT}`) === false;
    expect(await waitFor(isShut, { timeoutMs: 60_000 })).toBe(true);
    const prepared = channels.prepareSession(lab.vmId, { ...REQUEST, session: 6 });
    mute.destroy();
    await prepared;
    const client = screen.connect();
    await isPainted(client);
    await becomes("connected");
    expect(channels.read(lab.vmId)?.session).toBe(6);
  }, 120_000);

  test("ends the session when asked, and starts a fresh one over the same home", async () => {
    await channels.stopSession(lab.vmId);
    expect(channels.read(lab.vmId)).toMatchObject({ xState: "none", session: 6 });
    // What has ended is listed until init has taken note of it.
    const list = () => lab.inside("pgrep -l 'xterm|nxagent|xinit'");
    await waitFor(async () => (await list()) === "", { timeoutMs: 60_000, everyMs: 50 });
    expect(await list()).toBe("");
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 5 });
    const client = screen.connect();
    await isPainted(client);
    expect(await lab.inside("cat /home/alice.b/typed")).toBe("typed over nx");
    await client.drop();
  }, 120_000);

  test("sees a crash of nxagent, and recovers from it", async () => {
    await lab.inside("pkill -KILL nxagent");
    await becomes("none");
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 6 });
    await isPainted(screen.connect());
  }, 120_000);

  test("costs little: private memory of the agent stays below 6 MB", async () => {
    const anonymous = await lab.inside("awk '/RssAnon/{print $2}' /proc/$(pgrep -of /opt/qvd/qvd)/status");
    expect(Number(anonymous)).toBeGreaterThan(0);
    expect(Number(anonymous)).toBeLessThan(6_144);
  });

  test("says so when its person powers it off, and goes down", async () => {
    await lab.inside("setpriv --reuid=2001 --regid=2001 --clear-groups /usr/local/bin/poweroff");
    const isDown = async () => !(await lab.isRunning());
    expect(await waitFor(isDown, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
    // What it said last is read a moment after its end is seen.
    const isTold = () => events.some((event) => event.type === "powering-off");
    expect(await waitFor(isTold, { timeoutMs: 60_000 })).toBe(true);
    const isDetached = () => channels.read(lab.vmId)?.isAttached === false;
    expect(await waitFor(isDetached, { timeoutMs: 60_000 })).toBe(true);
  }, 120_000);

  test("goes down when the node asks", async () => {
    await lab.start();
    expect(await waitFor(() => channels.read(lab.vmId)?.isAttached, { timeoutMs: 60_000 })).toBe(true);
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 7 });
    await channels.powerOff(lab.vmId);
    const isDown = async () => !(await lab.isRunning());
    expect(await waitFor(isDown, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
  }, 120_000);
});
