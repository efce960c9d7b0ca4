/** A desktop that is started because somebody waits: its session begins beside its agent, by what the node left for both. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chownSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { renderOrderScript } from "../../src/guest/session/order-script.ts";
import { type CgroupTree, openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { listens } from "../../src/hypervisor/lxc/listens.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createAgentGates, type OpenGate } from "../../src/node/agent-gate.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { formatGuestMessage, NX_PORT } from "../../src/wire/guest/messages.ts";
import { createGuestLab, createScreen, type GuestLab } from "./guest-lab.ts";

const PLACE = { instance: "gseaab", network: "10.89.1", screen: ":89" };
const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "alice.b", uid: 2001, fullName: "Alice O'Hara" },
  client: { keyboard: "pc105/es", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: "10.89.1.1",
  slaveKey: "k",
};

let lab: GuestLab;
let screen: Awaited<ReturnType<typeof createScreen>>;
let channels: GuestChannels;
let tree: CgroupTree;
const gates = createAgentGates();

beforeAll(async () => {
  lab = await createGuestLab({ place: PLACE });
  screen = await createScreen(PLACE);
  tree = await openCgroupTree(PLACE.instance);
  channels = createGuestChannels({ log: silentLog(), clock: systemClock, onEvent: () => {} });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await screen?.stop();
  await lab?.stop();
}, 180_000);

/** As the node does before a start: what is returned lets the agent go. */
function leaveOrder(request: PrepareRequest): OpenGate {
  const folder = dirname(lab.socketPath);
  const openGate = gates.shut(`${folder}/gate`, lab.ownerUid);
  const texts = {
    order: formatGuestMessage({ type: "session-prepare", order: 0, ...request }),
    "order.sh": renderOrderScript(request) ?? "",
  };
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(`${folder}/${name}`, text, { mode: 0o400 });
    chownSync(`${folder}/${name}`, lab.ownerUid, lab.ownerUid);
  }
  return openGate;
}

const isAttached = () => channels.read(lab.vmId)?.isAttached === true;
const isListening = () => listens(tree, lab.vmId, NX_PORT);

async function begin(): Promise<void> {
  await lab.start();
  expect(await waitFor(isAttached, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
}

/** Ends this life, and takes the account off the disks, which stay for the next. */
async function endLife(): Promise<void> {
  await lab.inside(
    "rm -r /run/user /var/log/qvd-agent.log; sed -i /^alice.b/d /etc/passwd /etc/shadow /etc/group",
  );
  await lab.inside("sed -i /^alice.b/d /etc/gshadow; sync");
  await lab.kill();
}

const foundAgain = () => lab.inside("grep -c session-found-again /var/log/qvd-agent.log");
const account = "alice.b:x:2001:2001:Alice O'Hara:/home/alice.b:/bin/bash";

// The tests are the lives of one desktop, in this order.
test("a person's first session, without a home, is the agent's to start", async () => {
  leaveOrder(REQUEST);
  await begin();
  await channels.prepareSession(lab.vmId, REQUEST);
  expect(await lab.inside("getent passwd alice.b")).toBe(account);
  expect(await foundAgain()).toBe("0");
  await endLife();
}, 120_000);

test("whoever comes to a session before its agent keeps their place when that comes", async () => {
  const request = { ...REQUEST, session: 9 };
  const letGo = leaveOrder(request);
  await lab.start();
  expect(await waitFor(isListening, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
  const client = screen.connect();
  const isPainted = async () => (await client.countPixels("#204080")) > 300_000;
  expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
  expect(isAttached()).toBe(false);
  letGo();
  const isKnown = () => channels.read(lab.vmId)?.xState === "connected";
  expect(await waitFor(isKnown, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
  // The order that was left is done, and so is the node's, without anybody being moved.
  await channels.prepareSession(lab.vmId, request);
  expect(channels.read(lab.vmId)).toMatchObject({ xState: "connected", session: 9 });
  expect(await lab.inside("grep -c Suspending /run/qvd-guest/session.log")).toBe("0");
  expect(await isPainted()).toBe(true);
  await client.drop();
  await endLife();
}, 120_000);

test("a later one has begun before the agent is there, and is the one that was ordered", async () => {
  const request = { ...REQUEST, session: 2 };
  const letGo = leaveOrder(request);
  await lab.start();
  expect(await waitFor(isListening, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
  expect(isAttached()).toBe(false);
  letGo();
  expect(await waitFor(isAttached, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
  await channels.prepareSession(lab.vmId, request);
  expect(channels.read(lab.vmId)).toMatchObject({ xState: "listening", session: 2 });
  expect(await foundAgain()).toBe("1");
  const leader = 'sed \'s/.*"leader":{"pid":\\([0-9]*\\).*/\\1/\' /run/qvd-guest/session.json';
  expect(await lab.inside(leader)).toBe(await lab.inside("cat /run/qvd-guest/early"));
  // Each line once, and what the system's own checkers say of them: nothing.
  expect(await lab.inside("grep -h ^alice.b /etc/passwd /etc/group /etc/shadow /etc/gshadow")).toBe(
    `${account}\nalice.b:x:2001:\nalice.b:!::0:99999:7:::\nalice.b:!::`,
  );
  expect(await lab.inside("(pwck -r -q; grpck -r) 2>&1 | grep -F alice")).toBe("");
  expect(await lab.inside("stat -c '%U %a' /run/user/2001 /tmp/.X11-unix /run/qvd-guest/nxagent.state")).toBe(
    "alice.b 700\nroot 1777\nalice.b 600",
  );
  expect(await lab.inside("stat -c %U /proc/$(pgrep -o nxagent)")).toBe("alice.b");
  const asThemselves = "setpriv --reuid 2001 --regid 2001 --clear-groups";
  expect(await lab.inside(`${asThemselves} touch /run/user/2001/own && echo made`)).toBe("made");
}, 120_000);

test("a client finds the person's own session there", async () => {
  const client = screen.connect();
  const isPainted = async () => (await client.countPixels("#204080")) > 300_000;
  expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
  // Written after the screen was painted.
  const written = "/home/alice.b alice.b /bin/bash C.UTF-8 /run/user/2001\nbus";
  const read = () => lab.inside("cat /home/alice.b/session-env");
  await waitFor(async () => (await read()) === written, { timeoutMs: 60_000, everyMs: 50 });
  expect(await read()).toBe(written);
}, 120_000);

test("where the image has hooks, the agent does it all, after them", async () => {
  // What the lab has put there isn't the desktop's.
  await lab.inside("cp -r /etc/qvd /etc/mine && mv /etc/qvd /etc/lab && mv /etc/mine /etc/qvd");
  const hook = "'#!/bin/sh\\necho asked >>/root/hook\\n'";
  await lab.inside(`cd /etc/qvd && mkdir hooks && printf ${hook} >hooks/connect && chmod 755 hooks/connect`);
  await lab.inside("rm -r /run/user; sync");
  await lab.kill();
  const request = { ...REQUEST, session: 3 };
  leaveOrder(request);
  await begin();
  await channels.prepareSession(lab.vmId, request);
  expect(channels.read(lab.vmId)).toMatchObject({ xState: "listening", session: 3 });
  expect(await foundAgain()).toBe("1");
  // Once, although it was ordered twice: ahead, and by the node.
  expect(await lab.inside("cat /root/hook")).toBe("asked");
}, 120_000);
