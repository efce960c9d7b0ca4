/** What flows between a browser and its desktop through the gateway, and how it ends. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type BrokerDoor, basic, connectRequest, openBrokerDoor } from "../support/broker-door.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { PortalClient, type PortalSocket } from "../support/portal-client.ts";
import type { TableSession } from "../support/table-broker-store.ts";
import { createTableWebStore, type TableWebStore } from "../support/table-web-store.ts";

const VM = asId<VmId>(1);
let door: BrokerDoor;
let display: FakeDisplay;
let web: TableWebStore;
let client: PortalClient;
/** What the test's node does with a request. */
let onRequest: (session: TableSession) => void;

beforeAll(async () => {
  display = openFakeDisplay();
  web = createTableWebStore(() => 1);
  door = await openBrokerDoor({ web });
  door.store.addDesktop(1, 1);
  door.store.onRequest = (session) => onRequest(session);
  client = new PortalClient(door.port);
  await client.signIn("alice", "secret");
}, 30_000);

afterAll(async () => {
  await door?.close();
  display?.stop();
}, 30_000);

beforeEach(() => {
  onRequest = (session) => {
    Object.assign(session, { state: "listening", address: "127.0.0.1", port: display.port });
    door.wake(VM);
  };
  display.key = undefined;
  display.receivedBytes = 0;
});

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 10 }), String(test)).toBe(true);
}

async function shown(): Promise<PortalSocket> {
  const shownBefore = countShown();
  const socket = client.socket(1, await client.ticket(1));
  await becomes(() => socket.has("ready") && countShown() > shownBefore);
  return socket;
}

function countShown(): number {
  return display.hellos.filter(({ channel }) => channel === "rfb").length;
}

const last = () => door.store.sessions.at(-1);

describe("a browser at a desktop", () => {
  test("asks as a browser, with the size of its window and the session's key", async () => {
    display.hellos.length = 0;
    const socket = await shown();
    expect(last()).toMatchObject({ access: "browser", client: { geometry: "800x600" } });
    expect(display.hellos.map(({ channel }) => channel)).toEqual(["control", "rfb"]);
    expect(display.hellos[0]?.key).toBe(last()?.slaveKey ?? "");
    socket.close();
    await becomes(() => last()?.end !== undefined);
  });

  test("carries bytes both ways, and what they were stands in the session's record", async () => {
    const socket = await shown();
    const [bytes, times] = [100_000, 20];
    for (let count = 0; count < times; count++) socket.socket.send(new Uint8Array(bytes).fill(count));
    await becomes(() => socket.receivedBytes === bytes * times);
    socket.close();
    await becomes(() => last()?.end !== undefined);
    expect(last()?.end).toMatchObject({
      cause: "client-left",
      bytesFromClient: bytes * times,
      bytesToClient: bytes * times,
    });
  });

  test("has its desktop take the window's size, and nothing that is no size", async () => {
    const socket = await shown();
    display.orders.length = 0;
    socket.socket.send("rm -rf /");
    socket.socket.send(JSON.stringify({ type: "resize", width: "1", height: 2 }));
    socket.socket.send(JSON.stringify({ type: "resize", width: 1e9, height: 700 }));
    await becomes(() => display.orders.length > 0);
    expect(display.orders).toEqual(['{"type":"resize","width":7680,"height":700}']);
    socket.close();
  });

  test("gives and gets the clipboard as text, and nothing else that its desktop says", async () => {
    const socket = await shown();
    display.orders.length = 0;
    const order = { type: "clipboard", text: "ñ 漢 €" };
    socket.socket.send(JSON.stringify(order));
    await becomes(() => display.orders.length > 0);
    expect(JSON.parse(display.orders[0] ?? "")).toEqual(order);
    display.say('{"type":"ended","cause":"superseded"}\nnonsense\n{"type":"clipboard","text":"inside"}\n');
    await becomes(() => socket.has("clipboard"));
    expect(socket.messages.filter(({ type }) => type !== "progress" && type !== "ready")).toEqual([
      { type: "clipboard", text: "inside" },
    ]);
    socket.close();
  });

  test("is told how the start goes, and why it doesn't", async () => {
    onRequest = (session) => {
      door.store.append(VM, "start-queued", "Waits for its turn: place 3 of 7.");
      Object.assign(session, { state: "failed", faultText: "The image has no x11vnc." });
      door.wake(VM);
    };
    const socket = client.socket(1, await client.ticket(1));
    await becomes(() => socket.isClosed);
    expect(socket.messages).toContainEqual({ type: "progress", text: "Waits for its turn: place 3 of 7." });
    expect(socket.messages.at(-1)).toEqual({ type: "refused", text: "The image has no x11vnc." });
  });

  test("is told when its desktop can't be reached, and the session ends", async () => {
    display.key = "another";
    const socket = client.socket(1, await client.ticket(1));
    await becomes(() => socket.isClosed && last()?.end !== undefined);
    expect(socket.messages.at(-1)?.type).toBe("refused");
    expect(last()?.end?.cause).toBe("connect-failed");
  });

  test("is told why, where the desktop's node knows what is wrong", async () => {
    display.key = "another";
    const desktop = door.store.desktops.get(VM);
    if (desktop !== undefined) desktop.fault = "agent-lost";
    const socket = client.socket(1, await client.ticket(1));
    await becomes(() => socket.isClosed);
    if (desktop !== undefined) delete desktop.fault;
    expect(socket.messages.at(-1)).toMatchObject({
      type: "refused",
      text: expect.stringContaining("something inside the desktop no longer answers"),
    });
  });

  test("gives up a desktop that it waited for when it goes", async () => {
    onRequest = () => {};
    const socket = client.socket(1, await client.ticket(1));
    await becomes(() => socket.isOpen);
    socket.close();
    await becomes(() => last()?.end !== undefined);
    expect(last()?.end?.cause).toBe("client-left");
  });

  test.each(["signed-out", "desktop-stopped"])(
    "is told how it ended once that is known: %s",
    async (cause) => {
      const socket = await shown();
      for (const screen of display.screens) screen.end();
      await becomes(() => last()?.end !== undefined);
      expect(last()?.end?.cause).toBe("desktop-closed");
      const end = last()?.end;
      const ended = last();
      if (end !== undefined && ended !== undefined) ended.end = { ...end, cause };
      await becomes(() => socket.isClosed);
      expect(socket.messages.at(-1)).toEqual({ type: "ended", cause });
    },
  );

  test("is told that the desktop closed", async () => {
    const socket = await shown();
    for (const screen of display.screens) screen.end();
    await becomes(() => socket.isClosed && last()?.end !== undefined);
    expect(socket.messages.at(-1)).toEqual({ type: "ended", cause: "desktop-closed" });
    expect(last()?.end?.cause).toBe("desktop-closed");
  });
});

describe("a browser and another client", () => {
  test("the newer one takes over, and the older one is told", async () => {
    const [older, newer] = [await shown(), await shown()];
    door.wake(VM);
    await becomes(() => older.isClosed);
    expect(older.messages.at(-1)).toEqual({ type: "ended", cause: "superseded" });
    expect(newer.isClosed).toBe(false);
    newer.close();
  });

  test("an NX client takes over from a browser", async () => {
    const browser = await shown();
    const nx = await door.open();
    nx.send(connectRequest(1).replace(basic("alice"), basic("alice")));
    await becomes(() => browser.isClosed);
    expect(browser.messages.at(-1)).toEqual({ type: "ended", cause: "superseded" });
    nx.terminate();
  });
});

describe("a slow or greedy side", () => {
  test("a browser that doesn't read makes its desktop wait, not our memory grow", async () => {
    const socket = await shown();
    const { rss } = process.memoryUsage();
    const chunk = new Uint8Array(256 * 1024);
    // Nobody reads here: the event loop belongs to the sender.
    let refused = 0;
    for (let count = 0; count < 400; count++)
      for (const screen of display.screens) if (screen.write(chunk) < chunk.length) refused++;
    expect(refused).toBeGreaterThan(0);
    expect(process.memoryUsage().rss - rss).toBeLessThan(150 * 2 ** 20);
    socket.close();
  });

  test("a browser that talks without end is cut off", async () => {
    const socket = await shown();
    for (let count = 0; count < 3_000; count++) socket.socket.send("");
    await becomes(() => socket.isClosed && last()?.end !== undefined);
    expect(last()?.end?.cause).toBe("client-left");
  });

  test("a browser that sends without end to a desktop that doesn't read is cut off", async () => {
    const socket = await shown();
    display.rest(true);
    const chunk = new Uint8Array(512 * 1024);
    for (let count = 0; count < 64 && !socket.isClosed; count++) {
      socket.socket.send(chunk);
      await waitFor(() => socket.isClosed, { timeoutMs: 20, everyMs: 5 });
    }
    await becomes(() => socket.isClosed);
    await becomes(() => last()?.end !== undefined);
  }, 20_000);
});

describe("the server behind", () => {
  test("answers nobody who comes by another way than the port", async () => {
    const open = (await Bun.$`ss -Hltn src 127.0.0.1`.text())
      .split("\n")
      .map((line) => /127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? "");
    const answers = await Promise.all(
      open
        .filter((port) => port !== "" && Number(port) !== door.port)
        .map(async (port) => {
          try {
            const signal = AbortSignal.timeout(500);
            const answer = await fetch(`http://127.0.0.1:${port}/sign-in`, { signal });
            return answer.status === 200 && (await answer.text()).includes("Your desktops");
          } catch {
            // Something else's port.
            return false;
          }
        }),
    );
    expect(answers).not.toContain(true);
  });
});

// The last one: nothing new comes in after it.
describe("a drain", () => {
  test("lets who sits at a desktop sit, and sends the others away", async () => {
    const socket = await shown();
    door.drain();
    await waitFor(() => false, { timeoutMs: 300 });
    expect(socket.isClosed).toBe(false);
    await expect(client.ask("/")).rejects.toThrow();
    socket.close();
    await door.ended;
  });
});
