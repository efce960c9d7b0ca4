/** Sound between a page and its desktop through the gateway: whose it is, how much of it waits, and how it ends. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ReadySession } from "../../src/broker/request.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { formatFrame, formatSoundHead } from "../../src/wire/display/sound.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { type FakeDisplay, openFakeDisplay } from "../support/fake-display.ts";
import { PortalClient, type PortalSocket } from "../support/portal-client.ts";
import { createTableWebStore, type TableWebStore } from "../support/table-web-store.ts";

let door: BrokerDoor;
let display: FakeDisplay;
let web: TableWebStore;
let client: PortalClient;
let isShown = true;

beforeAll(async () => {
  display = openFakeDisplay();
  web = createTableWebStore(
    (vmId) => (vmId === 1 ? 1 : 2),
    () => (isShown ? shownSession() : undefined),
  );
  door = await openBrokerDoor({ web });
  door.store.addDesktop(1, 1);
  door.store.addDesktop(2, 2);
  door.store.onRequest = (session) => {
    Object.assign(session, { state: "listening", address: "127.0.0.1", port: display.port });
    door.wake(session.vmId);
  };
  client = new PortalClient(door.port);
  await client.signIn("alice", "secret");
}, 30_000);

afterAll(async () => {
  await door?.close();
  display?.stop();
}, 30_000);

beforeEach(() => {
  isShown = true;
  display.spoken.length = 0;
});

function shownSession(): ReadySession | undefined {
  const live = door.store.sessions.at(-1);
  if (live === undefined) return undefined;
  return { ...live, address: "127.0.0.1", port: display.port, elsewhere: undefined };
}

async function becomes(test: () => boolean): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 15_000, everyMs: 5 }), String(test)).toBe(true);
}

/** A desktop that is shown, with one socket of sound beside it. */
async function open(kind: "sound" | "microphone", as: string) {
  const screen = client.socket(1, await client.ticket(1));
  await becomes(() => screen.has("ready"));
  const before = display.sounds.size;
  const socket = client.soundSocket(1, kind, { ticket: await client.ticket(1), as });
  await becomes(() => display.sounds.size > before);
  const [desktop] = [...display.sounds].slice(-1);
  if (desktop === undefined) throw new Error("no socket of sound");
  return { screen, socket, desktop };
}

async function close(...sockets: readonly PortalSocket[]): Promise<void> {
  for (const socket of sockets) socket.close();
  await becomes(() => sockets.every(({ isClosed }) => isClosed));
}

const frame = formatFrame(new Uint8Array(100));

describe("sound", () => {
  test("comes as frames, with what the page plays passed on to the desktop", async () => {
    const { screen, socket, desktop } = await open("sound", "opus,pcm");
    expect(display.hellos.at(-1)).toMatchObject({ channel: "sound", argument: "opus,pcm" });
    desktop.write(Buffer.concat([Buffer.from(formatSoundHead({ codec: "opus" })), frame, frame]));
    await becomes(() => socket.receivedFrames === 2);
    expect(socket.messages).toEqual([{ type: "sound-ready", codec: "opus" }] as never);
    expect(socket.receivedBytes).toBe(200);
    await close(socket, screen);
  });

  test("is dropped while its page is behind, and goes on when it isn't", async () => {
    const { screen, socket, desktop } = await open("sound", "opus");
    desktop.write(formatSoundHead({ codec: "opus" }));
    for (let count = 0; count < 200; count++) desktop.write(frame);
    await becomes(() => socket.receivedFrames === 40);
    socket.socket.send("40");
    await becomes(() => {
      desktop.write(frame);
      return socket.receivedFrames > 40;
    });
    // A page can't owe less than nothing.
    socket.socket.send("999999999");
    for (let count = 0; count < 200; count++) desktop.write(frame);
    const most = socket.receivedFrames + 80;
    await becomes(() => socket.receivedFrames >= 80);
    expect(socket.receivedFrames).toBeLessThanOrEqual(most);
    await close(socket, screen);
  });

  test("says why there is none", async () => {
    const { screen, socket, desktop } = await open("sound", "opus");
    desktop.write(formatSoundHead({ problem: "the image has no pactl" }));
    await becomes(() => socket.isClosed);
    expect(socket.messages.at(-1)).toEqual({
      type: "sound-refused",
      text: "No sound: the image has no pactl.",
    });
    await close(screen);
  });

  test("ends with a desktop that talks nonsense", async () => {
    const [head, empty] = ['{"codec":"opus"}\n', "\0\0"];
    const texts = ["x".repeat(600), '{"codec":"mp3"}\n', `${head}\xff\xff`, `${head}${empty.repeat(15_000)}`];
    for (const nonsense of texts) {
      const { screen, socket, desktop } = await open("sound", "opus");
      desktop.write(Buffer.from(nonsense, "latin1"));
      await becomes(() => socket.isClosed);
      await close(screen);
    }
  });

  test("is only for a desktop that is shown now", async () => {
    isShown = false;
    const socket = client.soundSocket(1, "sound", { ticket: await client.ticket(1) });
    await becomes(() => socket.isClosed);
    expect(socket.messages.at(-1)).toMatchObject({ type: "sound-refused" });
  });

  test("needs a ticket of its own for that desktop", async () => {
    const ticket = await client.ticket(1);
    for (const [id, given] of [
      [1, "made-up"],
      [2, ticket],
    ] as const) {
      const socket = client.soundSocket(id, "microphone", { ticket: given });
      await becomes(() => socket.isClosed);
      expect(socket.isOpen).toBe(false);
    }
  });
});

describe("a microphone", () => {
  test("is passed on to the desktop, whatever its card samples at", async () => {
    const { screen, socket, desktop } = await open("microphone", "48000");
    expect(display.hellos.at(-1)).toMatchObject({ channel: "microphone", argument: "48000" });
    desktop.write(formatSoundHead({ codec: "pcm" }));
    await becomes(() => socket.has("sound-ready"));
    socket.socket.send(new Uint8Array(1_920).fill(7));
    await becomes(() => display.spoken.length > 0);
    expect(Buffer.concat(display.spoken).every((byte) => byte === 7)).toBe(true);
    await close(socket, screen);
  });
});

describe("signing out", () => {
  const csrfOf = async () => /name="csrf" value="([^"]+)"/.exec((await client.ask("/")).text)?.[1] ?? "";

  test("ends screen and sound in every tab, and nobody else's", async () => {
    const other = new PortalClient(door.port);
    await other.signIn("alice", "secret");
    const elsewhere = other.socket(1, await other.ticket(1));
    await becomes(() => elsewhere.has("ready"));
    const { screen, socket } = await open("sound", "opus");
    await becomes(() => elsewhere.isClosed);
    const [mine, theirs] = [await csrfOf(), other];
    expect((await client.ask("/sign-out", { form: { csrf: mine } })).status).toBe(303);
    await becomes(() => screen.isClosed && socket.isClosed);
    expect((await theirs.ask("/")).status).toBe(200);
  });

  test("at another worker ends it as soon as that one is woken", async () => {
    await client.signIn("alice", "secret");
    const { screen } = await open("sound", "opus");
    for (const [token] of web.sessions) web.sessions.delete(token);
    door.wake(1);
    await becomes(() => screen.isClosed);
  });
});
