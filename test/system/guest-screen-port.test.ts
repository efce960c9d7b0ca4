/** A real desktop's screen at its X server's own port: who is let in, and what ends it. By the agent, without the broker. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { SCREEN_PORT } from "../../src/domain/session/screen-port.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { DISPLAY_DIRECT, DISPLAY_PORT, formatDisplayHello } from "../../src/wire/display/hello.ts";
import { buildDisplayRoot } from "../support/display-root.ts";
import { RfbViewer } from "../support/rfb-viewer.ts";
import { createGuestLab, type GuestLab } from "./guest-lab.ts";

const PLACE = { instance: "scrlab", network: "172.29.38", screen: ":70" };
const HOSTNAME = `${PLACE.network}.10`;
const WINDOW = 0xc02040;
const KEY = "abcdefghijklmnop";
const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "bea", uid: 2001, fullName: "Bea" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1000x700", isFullscreen: false },
  accept: `${PLACE.network}.1`,
  slaveKey: KEY,
  access: "browser",
};

type Seat = { readonly said: string; readonly isGone: () => boolean; readonly leave: () => void };

let lab: GuestLab;
let channels: GuestChannels;
let attachments = 0;

beforeAll(async () => {
  const archive = await buildDisplayRoot({ hasOwnServer: true });
  lab = await createGuestLab({ place: PLACE, archive, hasSession: true });
  channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, { type }) => {
      if (type === "attached") attachments++;
    },
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  await lab.start();
  await becomes(() => channels.read(lab.vmId)?.address !== null);
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await lab?.stop();
}, 180_000);

const prepare = (more: Partial<PrepareRequest> = {}) =>
  channels.prepareSession(lab.vmId, { ...REQUEST, ...more });

/** An agent that follows another looks for the session when it has told the node that it is there. */
async function becomesClosed(key?: string): Promise<void> {
  await becomes(() =>
    view(key).then(
      (viewer) => {
        viewer.close();
        return false;
      },
      () => true,
    ),
  );
}

async function becomes(test: () => boolean | Promise<boolean>): Promise<void> {
  expect(await waitFor(test, { timeoutMs: 60_000, everyMs: 20 }), String(test)).toBe(true);
}

/** As a broker takes it at the door. */
async function sit(key = KEY): Promise<Seat> {
  const answer = Promise.withResolvers<string>();
  let isGone = false;
  const socket = await Bun.connect({
    hostname: HOSTNAME,
    port: DISPLAY_PORT,
    socket: {
      data: (_socket, chunk) => answer.resolve(chunk.toString()),
      close: () => {
        isGone = true;
        answer.resolve("");
      },
      error: () => {},
    },
  });
  socket.write(formatDisplayHello({ key, channel: "rfb", argument: DISPLAY_DIRECT.argument }));
  return { said: await answer.promise, isGone: () => isGone, leave: () => socket.end() };
}

const view = (key: string | undefined = KEY) =>
  RfbViewer.open({ hostname: HOSTNAME, port: SCREEN_PORT, ...(key !== undefined && { key }) });

async function sees(viewer: RfbViewer): Promise<void> {
  await becomes(async () => (await viewer.look()).count(WINDOW) >= 50_000);
}

const lastTyped = () => lab.inside("tail -n 1 /home/bea/typed");

// The tests are the chapters of one desktop's life, in this order.
test("is shown and typed at with the session's key, and the seat at the door is its own", async () => {
  await prepare();
  const seat = await sit();
  expect(seat.said).toBe("DIRECT\n");
  const viewer = await view();
  expect(viewer.size).toEqual({ width: 1000, height: 700 });
  await sees(viewer);
  viewer.click(300, 300);
  await waitFor(() => false, { timeoutMs: 300 });
  viewer.type("by its own port ñ\n");
  await becomes(async () => (await lastTyped()) === "by its own port ñ");
  expect(seat.isGone()).toBe(false);
  viewer.close();
  seat.leave();
});

test("is there still when the same session is prepared once more", async () => {
  await prepare();
  expect((await sit()).said).toBe("DIRECT\n");
  const viewer = await view();
  await sees(viewer);
  viewer.close();
});

test("is closed to all others, and shuts out nobody for their tries", async () => {
  for (let count = 0; count < 12; count++) await expect(view(`wrong${count}`)).rejects.toThrow("refused");
  const unproved = RfbViewer.open({ hostname: HOSTNAME, port: SCREEN_PORT });
  await expect(unproved).rejects.toThrow();
  const viewer = await view();
  await sees(viewer);
  viewer.close();
});

test("has a password that only the session's user reads, and no list of programs shows", async () => {
  const password = "/run/qvd-guest/screen-password";
  expect(await lab.inside(`stat -c '%a %u' ${password}`)).toBe("400 2001");
  const asOther = `setpriv --reuid=2002 --regid=2002 --clear-groups cat ${password} 2>&1 || true`;
  expect(await lab.inside(asOther)).toContain("Permission denied");
  expect(await lab.inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")).not.toContain(KEY);
});

test("is closed to the session's key once another session has begun, and so is the seat", async () => {
  const seat = await sit();
  const key = "anotherkeyofanother";
  await prepare({ session: 2, slaveKey: key });
  await becomes(seat.isGone);
  await expect(view()).rejects.toThrow("refused");
  expect((await sit(key)).said).toBe("DIRECT\n");
  const viewer = await view(key);
  await sees(viewer);
  viewer.close();
});

test("is closed to the key of a browser from which an NX client took over", async () => {
  await prepare({ session: 3 });
  const seat = await sit();
  await prepare({ session: 4, access: "nx", slaveKey: "thekeyofthenxclient" });
  await becomes(seat.isGone);
  await expect(view()).rejects.toThrow("refused");
  await expect(view("thekeyofthenxclient")).rejects.toThrow("refused");
});

test("ends its seats with the agent, and is shown again by the next one", async () => {
  await prepare({ session: 5 });
  const seat = await sit();
  const viewer = await view();
  const before = attachments;
  await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
  await becomes(seat.isGone);
  await becomes(() => attachments > before);
  viewer.close();
  await becomesClosed();
  await expect(view()).rejects.toThrow("refused");
  await prepare({ session: 6, slaveKey: "afterwards" });
  expect((await sit("afterwards")).said).toBe("DIRECT\n");
  const next = await view("afterwards");
  await sees(next);
  next.close();
}, 120_000);

test("is closed to old keys and new ones while its agent's folder is full, and says why", async () => {
  const filler = "/run/qvd-guest/filler";
  const fill = () => lab.inside(`head -c 32m /dev/zero > ${filler} 2>/dev/null || true`);
  const isRefused = async (key: string) => await expect(view(key)).rejects.toThrow();
  await prepare({ session: 61, slaveKey: "beforeitwasfull" });
  await fill();
  await expect(prepare({ session: 62, slaveKey: "whileitisfull" })).rejects.toThrow("is full");
  await isRefused("beforeitwasfull");
  await isRefused("whileitisfull");
  await lab.inside(`rm ${filler}`);
  await prepare({ session: 63, slaveKey: "beforetheagentsend" });
  await fill();
  const before = attachments;
  await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
  await becomes(() => attachments > before);
  await becomesClosed("beforetheagentsend");
  await isRefused("beforetheagentsend");
  await lab.inside(`rm ${filler}`);
  await prepare({ session: 64, slaveKey: "onceithasroom" });
  const viewer = await view("onceithasroom");
  await sees(viewer);
  viewer.close();
}, 120_000);

test("ends with its server, and is there again with the next session", async () => {
  await prepare({ session: 7 });
  const viewer = await view();
  await lab.inside("pkill -KILL Xtigervnc");
  await becomes(() => viewer.isClosed);
  await becomes(() => channels.read(lab.vmId)?.xState === "none");
  await prepare({ session: 8, slaveKey: "ofthenext" });
  expect((await sit("ofthenext")).said).toBe("DIRECT\n");
  const next = await view("ofthenext");
  await sees(next);
  next.close();
}, 120_000);

test("is the door's where the session is nxagent's", async () => {
  await channels.stopSession(lab.vmId);
  const client = { ...REQUEST.client, given: { "qvd.client.browser.server": "nx" } };
  await prepare({ session: 9, client });
  const seat = await sit();
  expect(seat.said).toStartWith("OK\n");
  await expect(view()).rejects.toThrow();
  seat.leave();
}, 120_000);
