/** A real desktop whose session a browser begins on Xvnc, and an NX client continues: by the agent, without the broker. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chownSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SCREEN_PORT } from "../../src/domain/session/screen-port.ts";
import { PRINT_PORT, SLAVE_PORT, SOUND_PORT } from "../../src/guest/peripherals/plan-channels.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { formatDisplayLine } from "../../src/wire/display/control.ts";
import { DISPLAY_PORT, type DisplayChannel, formatDisplayHello } from "../../src/wire/display/hello.ts";
import { formatGuestMessage } from "../../src/wire/guest/messages.ts";
import { buildDisplayRoot } from "../support/display-root.ts";
import { RfbViewer } from "../support/rfb-viewer.ts";
import { createGuestLab, createScreen, type GuestLab } from "./guest-lab.ts";

const PLACE = { instance: "ownlab", network: "172.29.36", screen: ":84" };
const BACKGROUND = 0x204080;
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
  const order = `${dirname(lab.socketPath)}/order`;
  const text = formatGuestMessage({ type: "session-prepare", order: 0, ...REQUEST });
  writeFileSync(order, text, { mode: 0o400 });
  chownSync(order, lab.ownerUid, lab.ownerUid);
  await lab.start();
  await waitFor(() => channels.read(lab.vmId)?.address !== null, { timeoutMs: 60_000, everyMs: 20 });
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await lab?.stop();
}, 180_000);

const prepare = (more: Partial<PrepareRequest>) => channels.prepareSession(lab.vmId, { ...REQUEST, ...more });
const stateIs = (state: string) => () => channels.read(lab.vmId)?.xState === state;

function view(channel: DisplayChannel = "rfb"): Promise<RfbViewer> {
  const hello = formatDisplayHello({ key: KEY, channel, argument: "" });
  return RfbViewer.open({ hostname: `${PLACE.network}.10`, port: DISPLAY_PORT, hello });
}

async function sees(viewer: RfbViewer, colour: number, atLeast: number): Promise<boolean> {
  const isThere = async () => (await viewer.look()).count(colour) >= atLeast;
  return (await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 })) === true;
}

const lastTyped = () => lab.inside("tail -n 1 /home/bea/typed");
async function hasTyped(text: string): Promise<void> {
  const isThere = async () => (await lastTyped()) === text;
  expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 }), await lastTyped()).toBe(true);
}

/** What runs as the person, by name. */
const programs = () => lab.inside("ps -u 2001 -o comm=");

// The tests are the chapters of one desktop's life, in this order.
describe("a session that a browser begins", () => {
  test("is begun before its node asks, by what that left for its agent", async () => {
    const record = async () => await lab.inside("cat /run/qvd-guest/session.json");
    const isBegun = async () => (await record()).includes('"program":"Xtigervnc"');
    expect(await waitFor(isBegun, { timeoutMs: 60_000, everyMs: 50 }), await record()).toBe(true);
  });

  test("is on Xvnc, in the size of the browser's window, and nothing else serves it", async () => {
    await prepare({});
    expect(channels.read(lab.vmId)).toMatchObject({ xState: "suspended", session: 1 });
    const viewer = await view();
    expect(viewer.size).toEqual({ width: 1000, height: 700 });
    expect(await sees(viewer, BACKGROUND, 300_000)).toBe(true);
    expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
    expect(await programs()).toContain("Xtigervnc");
    for (const name of ["nxagent", "X0tigervnc", "Xvfb", "nxproxy", "agent", "qvd"])
      expect((await programs()).split("\n")).not.toContain(name);
    viewer.close();
  });

  test("takes what is typed, whatever the server's layout", async () => {
    const viewer = await view();
    await viewer.look();
    viewer.click(300, 300);
    await waitFor(() => false, { timeoutMs: 300 });
    viewer.type("ñ ç ã ü ß € â Ñ 漢\n");
    await hasTyped("ñ ç ã ü ß € â Ñ 漢");
    viewer.close();
  });

  test("follows the window's size, beyond what nxagent has too", async () => {
    const [viewer, control] = [await view(), await view("control")];
    for (const [width, height] of [
      [2560, 1440],
      [5120, 1440],
      [801, 603],
      [1000, 700],
    ] as const) {
      control.send(formatDisplayLine({ type: "resize", width, height }));
      const fits = async () => {
        const { size } = await viewer.look();
        return size.height === height && size.width === width;
      };
      expect(await waitFor(fits, { timeoutMs: 60_000, everyMs: 20 }), `${width}x${height}`).toBe(true);
    }
    viewer.close();
    control.close();
  });

  test("releases what a browser that vanished held down", async () => {
    const viewer = await view();
    await viewer.look();
    viewer.key(0xffe1, true);
    await waitFor(() => false, { timeoutMs: 200 });
    viewer.close();
    const next = await view();
    await next.look();
    next.click(300, 300);
    await waitFor(() => false, { timeoutMs: 600 });
    next.type("small\n", { withoutShift: true });
    await hasTyped("small");
    next.close();
  });

  test("is shown to nobody inside but root by its socket, and has one port", async () => {
    const asBea = (text: string) =>
      lab.inside(`setpriv --reuid=2001 --regid=2001 --clear-groups sh -c '${text}' 2>&1 || true`);
    const socket = (await lab.inside("ls /run/qvd-guest/session-screen-*/rfb")).trim();
    expect(socket).toStartWith("/run/qvd-guest/session-screen-");
    expect(await asBea(`ls -l ${socket}`)).toContain("Permission denied");
    expect(await lab.inside("ss -Hltnp | grep tigervnc | awk '{ print $4 }'")).toBe(`0.0.0.0:${SCREEN_PORT}`);
  });

  test("has no program inside turn the viewers' clipboard on", async () => {
    const config = (words: string) =>
      lab.inside(
        `setpriv --reuid=2001 --regid=2001 --clear-groups tigervncconfig -display :100 ${words} 2>&1 || true`,
      );
    for (const name of ["SendCutText", "AcceptCutText"]) {
      await config(`-set ${name}=1`);
      expect((await config(`-get ${name}`)).trim()).toMatch(/^(0|off)$/);
    }
  });
});

describe("the same session by NX and by browser", () => {
  test("goes on in an NX client, with its windows and keys, and back", async () => {
    const screen = await createScreen(PLACE);
    try {
      const viewer = await view();
      await prepare({ access: "nx", session: 2 });
      expect(channels.read(lab.vmId)).toMatchObject({ xState: "listening", session: 2 });
      expect(await waitFor(() => viewer.isClosed, { timeoutMs: 60_000, everyMs: 10 })).toBe(true);
      const client = screen.connect();
      const isPainted = async () => (await client.countPixels("#c02040")) > 50_000;
      expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      // Its agent hears of it by a line of a log, and tells the node.
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await client.type("by nx");
      await hasTyped("by nx");
      await prepare({ session: 3 });
      expect(channels.read(lab.vmId)).toMatchObject({ xState: "suspended", session: 3 });
      const back = await view();
      expect(await sees(back, WINDOW, 50_000)).toBe(true);
      expect(back.size).toEqual({ width: 1000, height: 700 });
      expect((await programs()).split("\n")).not.toContain("nxagent");
      back.close();
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("has what is copied at the NX client, and the other way", async () => {
    const screen = await createScreen(PLACE);
    const asBea = (text: string) =>
      lab.inside(`setpriv --reuid=2001 --regid=2001 --clear-groups env HOME=/home/bea sh -c '${text}'`);
    const here = { ...process.env, DISPLAY: PLACE.screen };
    const copiedHere = async () =>
      (await run(["timeout", "5", "xclip", "-selection", "clipboard", "-o"], { env: here })).stdout;
    const copiedInside = () => asBea("xclip -display :100 -selection clipboard -o 2>/dev/null || true");
    try {
      await prepare({ access: "nx", session: 20 });
      screen.connect();
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await waitFor(() => false, { timeoutMs: 2_500 });
      const copyHere = ["sh", "-c", "printf outside | xclip -selection clipboard -i >/dev/null 2>&1"];
      const isInside = async () => {
        // What was copied before the client's nxagent listened is copied once more.
        await run(copyHere, { env: here });
        const hasCome = async () => (await copiedInside()) === "outside";
        return (await waitFor(hasCome, { timeoutMs: 10_000, everyMs: 100 })) === true;
      };
      expect(await waitFor(isInside, { timeoutMs: 60_000, everyMs: 100 }), await copiedInside()).toBe(true);
      await asBea("printf inside | xclip -display :100 -selection clipboard -i >/dev/null 2>&1");
      const isHere = async () => (await copiedHere()) === "inside";
      expect(await waitFor(isHere, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("brings the NX client's sound, printers and folders to the usual ports", async () => {
    const screen = await createScreen(PLACE);
    const given = { "qvd.client.audio.sound.enable": "1", "qvd.client.printing.enabled": "1" };
    const listening = () => lab.inside("ss -Hltn");
    try {
      await prepare({ access: "nx", session: 21, client: { ...REQUEST.client, given } });
      screen.connect();
      const ports = [SOUND_PORT, PRINT_PORT, SLAVE_PORT];
      const isOpen = async () => {
        const said = await listening();
        return ports.every((port) => said.includes(`:${port} `));
      };
      expect(await waitFor(isOpen, { timeoutMs: 60_000, everyMs: 50 }), await listening()).toBe(true);
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("is suspended when its NX client vanishes, and taken over by the next", async () => {
    const screen = await createScreen(PLACE);
    try {
      await prepare({ access: "nx", session: 4 });
      const first = screen.connect();
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await first.drop();
      expect(await waitFor(stateIs("suspended"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await prepare({ access: "nx", session: 5 });
      screen.connect();
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await prepare({ access: "nx", session: 6 });
      expect(channels.read(lab.vmId)).toMatchObject({ xState: "listening", session: 6 });
      const third = screen.connect();
      const isPainted = async () => (await third.countPixels("#c02040")) > 50_000;
      expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      await channels.suspendSession(lab.vmId);
      expect(stateIs("suspended")()).toBe(true);
      expect(await lastTyped()).toBe("by nx");
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("holds no key that an NX client held when it vanished", async () => {
    const screen = await createScreen(PLACE);
    const env = { ...process.env, DISPLAY: PLACE.screen };
    try {
      await prepare({ access: "nx", session: 22 });
      const client = screen.connect();
      const isPainted = async () => (await client.countPixels("#c02040")) > 50_000;
      expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      await client.type("held");
      await hasTyped("held");
      await run(["xdotool", "keydown", "Control_L"], { env });
      await waitFor(() => false, { timeoutMs: 500 });
      await client.drop();
      expect(await waitFor(stateIs("suspended"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await prepare({ session: 23 });
      const viewer = await view();
      await viewer.look();
      viewer.click(300, 300);
      await waitFor(() => false, { timeoutMs: 300 });
      viewer.type("let go\n");
      await hasTyped("let go");
      viewer.close();
    } finally {
      await run(["xdotool", "keyup", "Control_L"], { env });
      await screen.stop();
    }
  }, 120_000);

  test("is found again after the agent's end, by browser and with an NX client at it", async () => {
    const screen = await createScreen(PLACE);
    try {
      let before = attachments;
      await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
      const isBack = (state: string) => () => attachments > before && stateIs(state)();
      expect(await waitFor(isBack("suspended"), { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
      await prepare({ session: 7 });
      const viewer = await view();
      expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
      viewer.close();
      await prepare({ access: "nx", session: 8 });
      screen.connect();
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      before = attachments;
      await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
      expect(await waitFor(isBack("connected"), { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
      await prepare({ session: 9 });
      const back = await view();
      expect(await sees(back, WINDOW, 50_000)).toBe(true);
      back.close();
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("ends whole, and the next one that an NX client begins is on nxagent", async () => {
    await channels.stopSession(lab.vmId);
    expect(stateIs("none")()).toBe(true);
    expect(await programs()).not.toContain("Xtigervnc");
    await prepare({ access: "nx", session: 10 });
    expect((await programs()).split("\n")).toContain("nxagent");
    expect(await programs()).not.toContain("Xtigervnc");
    await channels.stopSession(lab.vmId);
  }, 120_000);

  test("leaves nothing when Xvnc dies with an NX client at it", async () => {
    const screen = await createScreen(PLACE);
    try {
      await prepare({ session: 12 });
      await prepare({ access: "nx", session: 13 });
      screen.connect();
      expect(await waitFor(stateIs("connected"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      await lab.inside("pkill -KILL Xtigervnc");
      expect(await waitFor(stateIs("none"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
      const isClean = async () => !/Xtigervnc|nxagent|xinit|xterm|xclip/.test(await programs());
      expect(await waitFor(isClean, { timeoutMs: 60_000, everyMs: 100 }), await programs()).toBe(true);
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("of a program that ends at once runs it once", async () => {
    const program = "echo run >>/home/bea/runs";
    // It may be over before the order is, which is refused then.
    await prepare({ session: 14, program }).catch(() => {});
    expect(await waitFor(stateIs("none"), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
    expect(await lab.inside("cat /home/bea/runs")).toBe("run");
    expect((await programs()).split("\n")).not.toContain("nxagent");
  }, 120_000);

  test("is on nxagent where the site says so", async () => {
    const client = { ...REQUEST.client, given: { "qvd.client.browser.server": "nx" } };
    await prepare({ session: 11, client });
    expect((await programs()).split("\n")).toContain("nxagent");
    const viewer = await view();
    expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
    const control = await view("control");
    control.send(formatDisplayLine({ type: "resize", width: 2560, height: 1440 }));
    const isLargest = async () => (await viewer.look()).size.width === 1920;
    expect(await waitFor(isLargest, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
    control.close();
    viewer.close();
  }, 120_000);
});
