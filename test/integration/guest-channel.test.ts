import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { attach, type Link } from "../../src/guest/attach.ts";
import { dialSocket } from "../../src/guest/dial.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type GuestEvent,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import type { ChannelLimits } from "../../src/node/guest-channel/limits.ts";
import { formatGuestMessage, GUEST_WIRE_VERSION } from "../../src/wire/guest/messages.ts";

const VM = asId<VmId>(7);
const BOOT = "boot-0001";
const REQUEST: PrepareRequest = {
  session: 5,
  account: { login: "alice", uid: 2001, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: "10.77.1.1",
  slaveKey: "k",
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

type Bench = { channels: GuestChannels; events: GuestEvent[]; path: string; reopen(): void };

async function setUp(limits: Partial<ChannelLimits> = {}): Promise<Bench> {
  const folder = await mkdtemp("/tmp/qvd-guest-channel-");
  const path = `${folder}/channel/guest.sock`;
  const events: GuestEvent[] = [];
  const channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, event) => void events.push(event),
    limits,
  });
  const reopen = () => channels.open(VM, { socketPath: path, ownerUid: process.getuid?.() ?? 0 });
  reopen();
  cleanUps.push(
    () => rm(folder, { recursive: true, force: true }),
    () => channels.closeAll(),
  );
  return { channels, events, path, reopen };
}

/** An agent that says only what it is told to, and keeps what it hears. */
async function speak(path: string): Promise<{
  say(text: string): void;
  greet(version?: number): void;
  heard: string[];
  readonly isOpen: boolean;
  leave(): void;
}> {
  const heard: string[] = [];
  let isOpen = true;
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data: (_socket, chunk) => void heard.push(...chunk.toString().trim().split("\n")),
      close: () => {
        isOpen = false;
      },
      error: () => {},
    },
  });
  cleanUps.push(() => void socket.terminate());
  return {
    heard,
    get isOpen() {
      return isOpen;
    },
    say: (text) => void socket.write(text),
    greet(version = GUEST_WIRE_VERSION) {
      socket.write(
        `\n${formatGuestMessage({ type: "hello", version, attachment: "attachment-1", boot: BOOT, agentPid: 2 })}`,
      );
    },
    leave: () => void socket.terminate(),
  };
}

async function soon(condition: () => boolean | undefined): Promise<void> {
  expect(await waitFor(condition, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
}

async function codeOf(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (isAppError(error) ? error.code : String(error)),
  );
}

describe("attachment", () => {
  test("is welcomed with its own id and shown in the snapshot", async () => {
    const { channels, events, path } = await setUp();
    expect(channels.read(VM)).toMatchObject({ isAttached: false, boot: null, xState: "none" });
    const agent = await speak(path);
    agent.greet();
    await soon(() => agent.heard.length === 1);
    expect(JSON.parse(agent.heard[0] ?? "")).toEqual({
      type: "welcome",
      version: GUEST_WIRE_VERSION,
      attachment: "attachment-1",
    });
    expect(channels.read(VM)).toMatchObject({ isAttached: true, boot: BOOT });
    expect(events[0]).toEqual({ type: "attached", boot: BOOT, isNewBoot: true });
  });

  test("is told which of the desktop's lives this is, as the start has left it there", async () => {
    const { path } = await setUp();
    writeFileSync(path.replace(/[^/]*$/, "incarnation"), "3 17\n");
    const agent = await speak(path);
    agent.greet();
    await soon(() => agent.heard.length === 1);
    expect(JSON.parse(agent.heard[0] ?? "")).toMatchObject({ type: "welcome", incarnation: "3 17" });
  });

  test("forgives a cut line and anything else before the hello", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    agent.say('{"type":"done","order":9}\n{"type":"sess');
    agent.greet();
    await soon(() => channels.read(VM)?.isAttached);
    expect(channels.read(VM)?.garbageCount).toBe(0);
  });

  test("takes a hello that arrives byte by byte", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    const hello = { type: "hello", version: 1, attachment: "attachment-1", boot: BOOT, agentPid: 2 } as const;
    for (const byte of formatGuestMessage(hello)) {
      agent.say(byte);
      await Bun.sleep(0);
    }
    await soon(() => channels.read(VM)?.isAttached);
  });

  test("belongs to the newest agent that greets", async () => {
    const { channels, events, path } = await setUp();
    const old = await speak(path);
    old.greet();
    await soon(() => channels.read(VM)?.isAttached);
    const young = await speak(path);
    young.greet();
    await soon(() => !old.isOpen);
    young.say(formatGuestMessage({ type: "session", state: "connected", session: 3 }));
    await soon(() => channels.read(VM)?.xState === "connected");
    expect(events.filter((event) => event.type === "attached").map((event) => event.isNewBoot)).toEqual([
      true,
      false,
    ]);
  });

  test("of another boot forgets the session of the boot before", async () => {
    const { channels, path } = await setUp();
    const old = await speak(path);
    old.greet();
    old.say(formatGuestMessage({ type: "session", state: "suspended", session: 3 }));
    await soon(() => channels.read(VM)?.xState === "suspended");
    const young = await speak(path);
    const hello = {
      type: "hello",
      version: 1,
      attachment: "attachment-2",
      boot: "boot-0002",
      agentPid: 2,
    } as const;
    young.say(formatGuestMessage(hello));
    await soon(() => channels.read(VM)?.boot === "boot-0002");
    expect(channels.read(VM)).toMatchObject({ xState: "none", session: null });
  });

  test("ends with the connection, and keeps the last word as such", async () => {
    const { channels, events, path } = await setUp();
    const agent = await speak(path);
    agent.greet();
    agent.say(formatGuestMessage({ type: "session", state: "connected", session: 3 }));
    await soon(() => channels.read(VM)?.xState === "connected");
    agent.leave();
    await soon(() => channels.read(VM)?.isAttached === false);
    expect(channels.read(VM)?.session).toBe(3);
    expect(events.at(-1)).toEqual({ type: "detached", reason: "its agent went away" });
  });

  test("ends when the agent falls silent", async () => {
    const { events, path } = await setUp({ silenceMs: 60 });
    const agent = await speak(path);
    agent.greet();
    await soon(() => events.at(-1)?.type === "detached");
    await soon(() => !agent.isOpen);
  });

  test("comes about by itself after a restart of the node", async () => {
    const { channels, path, reopen } = await setUp();
    const over = new AbortController();
    const links: Link[] = [];
    const attached = attach(
      {
        dial: dialSocket(path),
        boot: BOOT,
        log: silentLog(),
        random: () => crypto.randomUUID(),
        onAttached: (link) => void links.push(link),
        onDetached: () => {},
        onOrder: (order, link) => link.send({ type: "done", order: order.order }),
      },
      over.signal,
    );
    await soon(() => channels.read(VM)?.isAttached);
    channels.close(VM);
    expect(existsSync(path)).toBe(false);
    reopen();
    await soon(() => channels.read(VM)?.isAttached);
    await soon(() => links.length === 2);
    await channels.stopSession(VM);
    over.abort();
    await attached;
  });

  test("is for the desktop's root alone", async () => {
    const { path } = await setUp();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    // An id that owns nothing here still has to pass the folder.
    expect(statSync(path.slice(0, path.lastIndexOf("/"))).mode & 0o777).toBe(0o755);
  });
});

describe("orders", () => {
  test("are refused while nobody is attached", async () => {
    const { channels } = await setUp();
    expect(await codeOf(channels.stopSession(VM))).toBe("unavailable");
    expect(await codeOf(channels.stopSession(asId<VmId>(8)))).toBe("unavailable");
  });

  test("reach the agent whole and end with its answer", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    agent.greet();
    await soon(() => agent.heard.length === 1);
    const prepared = channels.prepareSession(VM, REQUEST);
    await soon(() => agent.heard.length === 2);
    expect(JSON.parse(agent.heard[1] ?? "")).toEqual({ type: "session-prepare", order: 1, ...REQUEST });
    agent.say(formatGuestMessage({ type: "done", order: 1 }));
    expect(await codeOf(prepared)).toBe("done");
  });

  test("fail with the guest's reason", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    agent.greet();
    await soon(() => agent.heard.length === 1);
    const prepared = channels.prepareSession(VM, REQUEST);
    agent.say(
      formatGuestMessage({
        type: "failed",
        order: 1,
        fault: "account-refused",
        text: "uid 0 is not for people",
      }),
    );
    await expect(prepared).rejects.toThrow(
      "preparing the session of desktop 7: uid 0 is not for people (account-refused)",
    );
    expect(await codeOf(prepared)).toBe("guest-failed");
  });

  test("end at their deadline when the agent never answers", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    agent.greet();
    await soon(() => channels.read(VM)?.isAttached);
    expect(await codeOf(channels.powerOff(VM, 20))).toBe("timeout");
    // The late answer is no offence.
    agent.say(formatGuestMessage({ type: "done", order: 1 }));
    agent.say(formatGuestMessage({ type: "beat", uptimeSeconds: 1, address: "10.77.1.9" }));
    await soon(() => channels.read(VM)?.address === "10.77.1.9");
    expect(channels.read(VM)?.garbageCount).toBe(0);
  });

  test("end when the agent goes away", async () => {
    const { channels, path } = await setUp();
    const agent = await speak(path);
    agent.greet();
    await soon(() => channels.read(VM)?.isAttached);
    const stopped = codeOf(channels.stopSession(VM));
    agent.leave();
    expect(await stopped).toBe("unavailable");
  });

  test("are bounded in number", async () => {
    const { channels, path } = await setUp({ mostOrders: 2 });
    const agent = await speak(path);
    agent.greet();
    await soon(() => channels.read(VM)?.isAttached);
    const codes = [1, 2, 3].map(() => codeOf(channels.stopSession(VM)));
    expect(await codes[2]).toBe("unavailable");
    agent.leave();
    await Promise.all(codes);
  });
});

describe("a hostile desktop", () => {
  const BACKOFF = { firstMs: 1_500, mostMs: 3_000 }; // Long enough to see that the socket is gone.
  test("has its garbage counted, and goes on below the limit", async () => {
    const { channels, events, path } = await setUp({ mostGarbage: 5 });
    const agent = await speak(path);
    agent.greet();
    agent.say('what?\n{"type":"done","order":77}\n');
    agent.say(formatGuestMessage({ type: "beat", uptimeSeconds: 1, address: null }));
    await soon(() => events.at(-1)?.type === "beat");
    expect(channels.read(VM)).toMatchObject({ isAttached: true, garbageCount: 2 });
  });

  const attacks: readonly (readonly [string, string])[] = [
    ["garbage", "what?\n".repeat(10)],
    ["empty lines", "\n".repeat(20_000)],
    ["a line without end", "x".repeat(400_000)],
    ["overlong lines", `${"x".repeat(70_000)}\n`.repeat(10)],
    ["good lines without end", formatGuestMessage({ type: "powering-off" }).repeat(1_000)],
    [
      "a second hello, again and again",
      formatGuestMessage({
        type: "hello",
        version: 1,
        attachment: "attachment-1",
        boot: BOOT,
        agentPid: 2,
      }).repeat(10),
    ],
  ];
  for (const [what, text] of attacks) {
    test(`that sends ${what} loses its socket for a while, and gets it back`, async () => {
      const { channels, events, path } = await setUp({
        mostGarbage: 5,
        bytesPerLineToken: 1024,
        backoff: BACKOFF,
      });
      const agent = await speak(path);
      agent.greet();
      await soon(() => channels.read(VM)?.isAttached);
      agent.say(text);
      await soon(() => events.at(-1)?.type === "detached");
      expect(existsSync(path)).toBe(false);
      expect(events.length).toBeLessThan(400);
      await soon(() => existsSync(path));
      const better = await speak(path);
      better.greet();
      await soon(() => channels.read(VM)?.isAttached);
    });
  }

  test("with an agent from another age is made to wait", async () => {
    const { channels, path } = await setUp({ backoff: BACKOFF });
    const agent = await speak(path);
    agent.greet(GUEST_WIRE_VERSION + 1);
    await soon(() => !agent.isOpen);
    expect(channels.read(VM)?.isAttached).toBe(false);
  });

  test("can't hold more than a few connections, nor one that it doesn't greet on", async () => {
    const { path } = await setUp({ mostConnections: 2, helloTimeoutMs: 60_000 });
    const agents = [await speak(path), await speak(path), await speak(path)];
    await soon(() => agents[2]?.isOpen === false);
    expect(agents.map(({ isOpen }) => isOpen)).toEqual([true, true, false]);
    const mute = await speak((await setUp({ helloTimeoutMs: 60 })).path);
    await soon(() => !mute.isOpen);
  });

  test("that connects again and again is made to wait", async () => {
    const { path } = await setUp({ connections: { perSecond: 1, burst: 3 }, backoff: BACKOFF });
    for (let round = 0; round < 4; round++) (await speak(path)).leave();
    await soon(() => !existsSync(path));
    await soon(() => existsSync(path));
  });

  test("that doesn't read is cut off instead of filling our memory", async () => {
    const { channels, events, path } = await setUp({ mostOrders: 100_000, backoff: BACKOFF });
    const socket = await Bun.connect({ unix: path, socket: { data() {}, error() {} } });
    cleanUps.push(() => void socket.terminate());
    socket.write(
      formatGuestMessage({ type: "hello", version: 1, attachment: "attachment-1", boot: BOOT, agentPid: 2 }),
    );
    await soon(() => channels.read(VM)?.isAttached);
    socket.pause();
    const long = { ...REQUEST, slaveKey: "k".repeat(10_000) };
    const codes = Array.from({ length: 200 }, () => codeOf(channels.prepareSession(VM, long)));
    expect(new Set(await Promise.all(codes))).toEqual(new Set(["unavailable"]));
    expect(events.at(-1)).toEqual({ type: "detached", reason: "it does not read what is sent to it" });
  });
});
