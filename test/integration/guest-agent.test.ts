import { afterEach, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { asId, type VmId } from "../../src/domain/ids.ts";
import type { XState } from "../../src/domain/session/x-state.ts";
import { VM_LIMITS } from "../../src/domain/vm/facts.ts";
import { guestPlaces } from "../../src/guest/places.ts";
import { prepareMachine } from "../../src/guest/prepare-machine.ts";
import type { Provisioned } from "../../src/guest/provision.ts";
import { type GuestDeps, POWER_OFF_EXIT_CODE, runGuest } from "../../src/guest/run-guest.ts";
import { launch } from "../../src/guest/session/launch.ts";
import { isAlive, listProcesses } from "../../src/guest/session/processes.ts";
import { readRecord } from "../../src/guest/session/record.ts";
import { SESSION_LIMITS, type SessionLimits } from "../../src/guest/session/session-limits.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestEvent,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { type Manner, writeFakeNxagent } from "./guest-fake-nxagent.ts";

const VM = asId<VmId>(7);
const UID = process.getuid?.() ?? 0;
const REQUEST: PrepareRequest = {
  session: 5,
  account: { login: "alice", uid: UID, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: "10.77.1.1",
  slaveKey: "k",
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Given = { readonly provisioned?: Provisioned; readonly limits?: Partial<SessionLimits> };

/** Node's channel and agent in this process, with stand-ins for xinit and nxagent as real processes. */
async function setUp(manner: Manner, { provisioned, limits }: Given = {}) {
  const folder = await mkdtemp("/tmp/qvd-guest-agent-");
  const places = guestPlaces(`${folder}/run`, `${folder}/channel/guest.sock`);
  const command = await writeFakeNxagent(folder, manner);
  const events: GuestEvent[] = [];
  const notices: string[] = [];
  const onEvent = (_vmId: VmId, event: GuestEvent) => void events.push(event);
  const channels = createGuestChannels({ log: silentLog(), clock: systemClock, onEvent });
  channels.open(VM, { socketPath: places.socket, ownerUid: UID });
  const deps: GuestDeps = {
    places,
    log: silentLog(),
    clock: systemClock,
    random: () => crypto.randomUUID(),
    prepareMachine: () => prepareMachine(places, () => "boot-0001"),
    provision: async () => provisioned ?? { isGood: true, home: folder, gid: UID, shell: "/bin/sh" },
    launch: (input) => launch({ command, env: {}, cwd: input.home }, places.log),
    showNotice: async (text) => {
      notices.push(text);
      return !text.includes("nobody");
    },
    isPortOpen: () => true,
    observe: () => ({ uptimeSeconds: 1, address: "10.77.1.9" }),
    limits: { startMs: 5_000, suspendMs: 5_000, graceMs: 400, patienceMs: 40, ...limits },
  };
  let over = new AbortController();
  let ended: Promise<number> = Promise.resolve(0);
  const run = async () => {
    over = new AbortController();
    ended = runGuest(deps, over.signal);
    expect(await waitFor(() => channels.read(VM)?.isAttached, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  };
  cleanUps.push(async () => {
    over.abort();
    await ended;
    channels.closeAll();
    for (const found of listOurs(folder)) process.kill(found, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });
  await run();
  return {
    channels,
    events,
    notices,
    places,
    folder,
    run,
    ended: () => ended,
    async end() {
      over.abort();
      await ended;
    },
    server: () => readRecord(places.record)?.nxagent?.pid ?? 0,
    async becomes(state: XState) {
      const seen = await waitFor(() => channels.read(VM)?.xState === state, {
        timeoutMs: 10_000,
        everyMs: 5,
      });
      expect(seen, `x state ${channels.read(VM)?.xState}, wanted ${state}`).toBe(true);
    },
    states: () => events.flatMap((event) => (event.type === "session-changed" ? [event.xState] : [])),
  };
}

/** Processes whose command lies in the test's own folder. */
function listOurs(folder: string): number[] {
  const ps = Bun.spawnSync(["pgrep", "-f", `${folder}/`])
    .stdout.toString()
    .split("\n");
  return ps.map(Number).filter((pid) => pid > 1 && pid !== process.pid);
}

async function failureOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (isAppError(error) ? error.message : String(error)),
  );
}

describe("prepare", () => {
  test("starts a session where none is, and is done when nxagent waits", async () => {
    const { channels, places, states } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    expect(channels.read(VM)).toMatchObject({ xState: "listening", session: 5, address: "10.77.1.9" });
    expect(states()).toEqual(["none", "starting", "listening"]);
    expect(await readFile(places.options, "utf8")).toContain("link=lan,");
  });

  test("wakes a suspended session for the next client, with that one's options", async () => {
    const { channels, places, server, becomes } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    process.kill(server(), "SIGUSR2");
    await becomes("suspended");
    const before = server();
    await channels.prepareSession(VM, {
      ...REQUEST,
      session: 6,
      client: { ...REQUEST.client, link: "modem" },
    });
    expect(channels.read(VM)).toMatchObject({ xState: "listening", session: 6 });
    expect(server()).toBe(before);
    expect(await readFile(places.options, "utf8")).toContain("link=modem,");
  });

  test("shows a notice, and says so when it can't", async () => {
    const { channels, notices } = await setUp("well");
    await channels.notify(VM, "There is a newer version.");
    expect(notices).toEqual(["There is a newer version."]);
    await expect(channels.notify(VM, "for nobody")).rejects.toThrow("no program that shows a notice");
  });

  test("suspends a connected session first: a takeover", async () => {
    const { channels, server, becomes, states } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    await channels.prepareSession(VM, { ...REQUEST, session: 6 });
    expect(states().slice(-4)).toEqual(["suspended", "suspended", "starting", "listening"]);
  });

  test("tells the node of a client that has left once, when all is over", async () => {
    const { channels, server, becomes, states } = await setUp("quick");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    process.kill(server(), "SIGUSR2");
    await becomes("suspended");
    expect(states().slice(-2)).toEqual(["connected", "suspended"]);
  });

  test("asks nothing of nxagent when the taken-over client goes by itself", async () => {
    const { channels, server, becomes, places } = await setUp("well", { limits: { patienceMs: 5_000 } });
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    const prepared = channels.prepareSession(VM, { ...REQUEST, session: 6 });
    process.kill(server(), "SIGUSR2");
    await prepared;
    expect(channels.read(VM)).toMatchObject({ xState: "listening", session: 6 });
    expect((await readFile(places.log, "utf8")).match(/Suspending session/g)).toHaveLength(1);
  });

  test("offers again what an earlier requester left waiting", async () => {
    const { channels, server } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    const before = server();
    await channels.prepareSession(VM, { ...REQUEST, session: 6 });
    expect(server()).toBe(before);
    expect(channels.read(VM)).toMatchObject({ xState: "listening", session: 6 });
  });

  test("repeats a hang-up that nxagent dropped", async () => {
    const { channels, server, becomes } = await setUp("deaf-once");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    await channels.prepareSession(VM, { ...REQUEST, session: 6 });
    expect(channels.read(VM)?.xState).toBe("listening");
  });

  test("says what nxagent said when it dies at its start", async () => {
    const { channels, becomes } = await setUp("dies");
    expect(await failureOf(channels.prepareSession(VM, REQUEST))).toBe(
      "preparing the session of desktop 7: nxagent ended at its start: " +
        "Error: Aborting session with 'Unable to open display'. (session-start-failed)",
    );
    await becomes("none");
  });

  test("ends a start that never comes to wait, and leaves nothing", async () => {
    const { channels, becomes, folder } = await setUp("mute", { limits: { startMs: 1_500 } });
    const failure = await failureOf(channels.prepareSession(VM, REQUEST));
    expect(failure).toContain("nxagent was not ready after 1.5 s");
    expect(failure).toContain("(session-start-timeout)");
    await becomes("none");
    expect(listOurs(folder)).toEqual([]);
  });

  test("gives up a session that does not suspend, and keeps it", async () => {
    const { channels, server, becomes } = await setUp("stuck-suspending", { limits: { suspendMs: 1_500 } });
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    expect(await failureOf(channels.prepareSession(VM, REQUEST))).toContain("(session-suspend-timeout)");
    expect(channels.read(VM)?.xState).toBe("suspending");
    expect(server()).toBeGreaterThan(0);
  });

  test("starts nothing when the account is refused", async () => {
    const refused = { isGood: false, fault: "account-refused", text: "uid 0 is not one for people" } as const;
    const { channels, folder } = await setUp("well", { provisioned: refused });
    expect(await failureOf(channels.prepareSession(VM, REQUEST))).toContain("uid 0 is not one for people");
    expect(listOurs(folder)).toEqual([]);
  });

  test("refuses parameters that would break nxagent's options", async () => {
    const { channels } = await setUp("well");
    const client = { ...REQUEST.client, keyboard: "us,accept=0.0.0.0" };
    expect(await failureOf(channels.prepareSession(VM, { ...REQUEST, client }))).toContain("(bad-order)");
  });

  test("does not show one account's session to another", async () => {
    const { channels } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    const account = { login: "bob", uid: UID + 1, fullName: "Bob" };
    expect(await failureOf(channels.prepareSession(VM, { ...REQUEST, account }))).toContain(
      "a session of alice runs in this desktop (account-refused)",
    );
  });
});

describe("suspend and stop", () => {
  test("suspend a connected session, and are done at once without one", async () => {
    const { channels, server, becomes } = await setUp("well");
    await channels.suspendSession(VM);
    await channels.stopSession(VM);
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    await channels.suspendSession(VM);
    expect(channels.read(VM)?.xState).toBe("suspended");
  });

  test("end the session, and say which one ended", async () => {
    const { channels, folder, places } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    await channels.stopSession(VM);
    expect(channels.read(VM)).toMatchObject({ xState: "none", session: 5 });
    expect(listOurs(folder)).toEqual([]);
    expect(readRecord(places.record)).toBeUndefined();
  });

  test("kill what doesn't heed a TERM", async () => {
    const { channels, folder } = await setUp("stubborn");
    await channels.prepareSession(VM, REQUEST);
    await channels.stopSession(VM);
    expect(channels.read(VM)?.xState).toBe("none");
    expect(listOurs(folder)).toEqual([]);
  });

  test("go before a prepare that waits", async () => {
    const { channels, becomes } = await setUp("mute");
    const prepared = failureOf(channels.prepareSession(VM, REQUEST));
    await becomes("starting");
    await channels.stopSession(VM);
    expect(await prepared).toContain("(session-ended)");
    expect(channels.read(VM)?.xState).toBe("none");
  });
});

describe("the agent", () => {
  test("sees the end of a session by itself", async () => {
    const { channels, server, becomes } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGKILL");
    await becomes("none");
  });

  test("ends alone: the session lives, and the next agent finds it in its state", async () => {
    const { channels, end, run, server, becomes } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    process.kill(server(), "SIGUSR1");
    await becomes("connected");
    const before = server();
    await end();
    process.kill(before, "SIGUSR2");
    await run();
    await becomes("suspended");
    expect(channels.read(VM)?.session).toBe(5);
    await channels.prepareSession(VM, { ...REQUEST, session: 6 });
    expect(server()).toBe(before);
    expect(channels.read(VM)?.xState).toBe("listening");
  });

  test("finds no session where a pid was given to another process meanwhile", async () => {
    const { channels, end, run, places, becomes } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    const record = readRecord(places.record);
    if (record === undefined) throw new Error("no record");
    await channels.stopSession(VM);
    await end();
    const stranger = { pid: process.pid, startTicks: 1 };
    await writeFile(places.record, JSON.stringify({ ...record, leader: stranger, nxagent: stranger }));
    await run();
    await becomes("none");
    expect(await waitFor(() => channels.read(VM)?.session === null, { timeoutMs: 10_000, everyMs: 5 })).toBe(
      true,
    );
  });

  test("ends with its own code after a power-off, when the session is gone", async () => {
    const { channels, ended, places, folder } = await setUp("well");
    await channels.prepareSession(VM, REQUEST);
    await channels.powerOff(VM);
    expect(await ended()).toBe(POWER_OFF_EXIT_CODE);
    expect(await readFile(places.powerOff, "utf8")).toBe("power-off\n");
    expect(listOurs(folder)).toEqual([]);
  });

  test("answers to a power-off while the node still waits, also when the session has to be killed", async () => {
    expect(SESSION_LIMITS.graceMs).toBeLessThanOrEqual(VM_LIMITS.poweroffAnswerMs - 1_000);
    const { channels, ended, folder } = await setUp("stubborn");
    await channels.prepareSession(VM, REQUEST);
    await channels.powerOff(VM);
    expect(await ended()).toBe(POWER_OFF_EXIT_CODE);
    expect(listOurs(folder)).toEqual([]);
  });

  test("tells the node of a power-off that was asked inside", async () => {
    const { events, ended, places } = await setUp("well");
    await writeFile(places.powerOffRequest, "now\n");
    expect(await ended()).toBe(POWER_OFF_EXIT_CODE);
    expect(events.some((event) => event.type === "powering-off")).toBe(true);
  });

  test("answers an order of a newer node that it doesn't know", async () => {
    const { channels, events } = await setUp("well");
    // Composed by hand: the types know no such order.
    const unknown = { ...REQUEST, session: null };
    const order = channels.prepareSession(VM, JSON.parse(JSON.stringify(unknown)));
    expect(await failureOf(order)).toContain("the order has no session id (bad-order)");
    expect(events.some((event) => event.type === "garbage")).toBe(false);
  });
});

describe("processes", () => {
  test("are known by pid and start time together", () => {
    const me = listProcesses().find((found) => found.pid === process.pid);
    expect(me).toMatchObject({ isZombie: false, parent: process.ppid, uid: UID });
    expect(me && isAlive(me)).toBe(true);
    expect(me && isAlive({ ...me, startTicks: me.startTicks + 1 })).toBe(false);
  });
});
