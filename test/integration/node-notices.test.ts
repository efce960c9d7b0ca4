/** Wakes between the processes of a box, over a real socket. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { connectLines } from "../../src/lib/line-socket.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createNotices, type Notices } from "../../src/node/notices.ts";
import { connectWake, type WakeClient } from "../../src/wire/wake/client.ts";
import type { Wake } from "../../src/wire/wake/messages.ts";

const VM = asId<VmId>(7);
let folder: string;
let path: string;
let notices: Notices;
let heardByNode: Wake[];
let sent: string[];
let clients: WakeClient[];
let isPolled: boolean;

const open = () =>
  createNotices({
    path,
    origin: "this-box",
    gid: undefined,
    onWake: (wake) => heardByNode.push(wake),
    notify: (payload) => sent.push(payload),
    mostWakes: () => 40,
    isPolled: () => isPolled,
  });

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-wake-`);
  path = `${folder}/socket`;
  [heardByNode, sent, clients, isPolled] = [[], [], [], false];
  notices = open();
});
afterEach(() => {
  for (const client of clients) client.close();
  notices.stop();
  rmSync(folder, { recursive: true });
});

/** A connected client and what it has heard since. */
async function connect(): Promise<{ client: WakeClient; heard: Wake[] }> {
  const heard: Wake[] = [];
  const client = connectWake({ path, onWake: (wake) => heard.push(wake), log: silentLog() });
  clients.push(client);
  expect(await waitFor(() => client.isConnected() && heard.length > 0, { timeoutMs: 10_000 })).toBe(true);
  heard.length = 0;
  return { client, heard };
}

const has = (list: readonly unknown[], length: number) =>
  waitFor(() => list.length >= length, { timeoutMs: 10_000 });

test("a wake reaches the node, the other clients and the other boxes, but not who sent it", async () => {
  const [one, two] = [await connect(), await connect()];
  one.client.wake("vm", VM);
  expect(await has(two.heard, 1)).toBe(true);
  expect([heardByNode, one.heard, two.heard]).toEqual([
    [{ topic: "vm", vmId: VM }],
    [],
    [{ topic: "vm", vmId: VM }],
  ]);
  expect(sent).toEqual(['this-box\n{"topic":"vm","vmId":7}']);
});

test("what the node tells reaches its clients and the other boxes", async () => {
  const one = await connect();
  notices.tell({ topic: "image" });
  expect(await has(one.heard, 1)).toBe(true);
  expect(sent).toEqual(['this-box\n{"topic":"image"}']);
  expect(heardByNode).toEqual([]);
});

test("what is told in one turn reaches its clients once each, and all but who told it", async () => {
  const [one, two] = [await connect(), await connect()];
  for (const id of [1, 2, 1]) notices.tell({ topic: "vm", vmId: asId<VmId>(id) });
  const both = [1, 2].map((id) => ({ topic: "vm" as const, vmId: asId<VmId>(id) }));
  expect(await has(one.heard, 2)).toBe(true);
  one.client.wake("vm", VM);
  expect(await has(two.heard, 3)).toBe(true);
  expect([one.heard, two.heard]).toEqual([both, [...both, { topic: "vm", vmId: VM }]]);
});

describe("notices", () => {
  test("of another box reach the node and its clients; our own that come back do not", async () => {
    const one = await connect();
    notices.hear('this-box\n{"topic":"vm","vmId":1}');
    notices.hear('that-box\n{"topic":"vm","vmId":2}\nrubbish\n{"topic":"node"}');
    expect(await has(one.heard, 2)).toBe(true);
    expect(heardByNode).toEqual([{ topic: "vm", vmId: asId<VmId>(2) }, { topic: "node" }]);
    expect(sent).toEqual([]);
  });

  test("go out at once, and then at most ten a second, each desktop once", async () => {
    const startedMs = performance.now();
    for (let round = 0; round < 200; round++)
      notices.tell({ topic: "vm", vmId: asId<VmId>(1 + (round % 3)) });
    expect(sent).toHaveLength(1);
    expect(await has(sent, 2)).toBe(true);
    expect(performance.now() - startedMs).toBeGreaterThan(80);
    expect(sent[1]?.split("\n")).toHaveLength(4);
  });

  test("of too many desktops become one for all of them", async () => {
    for (let id = 1; id <= 500; id++) notices.tell({ topic: "vm", vmId: asId<VmId>(id) });
    expect(await has(sent, 2)).toBe(true);
    expect(sent[1]).toBe('this-box\n{"topic":"vm"}');
  });

  test("of too many desktops keep those of images and the node", async () => {
    notices.tell({ topic: "vm" });
    for (let id = 1; id <= 50; id++) {
      notices.tell({ topic: "vm", vmId: asId<VmId>(id) });
      if (id === 20) notices.tell({ topic: "node" });
      if (id === 45) notices.tell({ topic: "image" });
    }
    expect(await has(sent, 2)).toBe(true);
    expect(sent[1]).toBe('this-box\n{"topic":"vm"}\n{"topic":"image"}\n{"topic":"node"}');
  });
});

test("a client connects again to the next node, and looks at everything then", async () => {
  const { client, heard } = await connect();
  notices.stop();
  expect(await waitFor(() => !client.isConnected(), { timeoutMs: 10_000 })).toBe(true);
  client.wake("vm", VM);
  notices = open();
  expect(await has(heard, 1)).toBe(true);
  expect(heard).toEqual([{ topic: "vm" }]);
});

test("who sends no wakes is disconnected, and others are not disturbed", async () => {
  const one = await connect();
  const isClosed = Promise.withResolvers<boolean>();
  const stranger = await connectLines(path, {
    mostLineBytes: 256,
    onLine: () => {},
    onClose: () => isClosed.resolve(true),
  });
  stranger.send("GET / HTTP/1.1");
  expect(await isClosed.promise).toBe(true);
  notices.tell({ topic: "node" });
  expect(await has(one.heard, 1)).toBe(true);
});

test("only the owner and the group may connect", () => {
  expect(statSync(path).mode & 0o777).toBe(0o660);
});

test.each([
  [false, ["box", "site"]],
  [true, ["site"]],
])("what only pages of other boxes show goes there unless they poll (%p)", async (polled, reaches) => {
  isPolled = polled;
  const one = await connect();
  const topics = { box: "image", site: "node" } as const;
  notices.tell({ topic: topics.box }, "box");
  notices.tell({ topic: topics.site });
  expect(await has(one.heard, 2)).toBe(true);
  const isThere = () => reaches.every((reach) => sent.join().includes(topics[reach as "box" | "site"]));
  expect(await waitFor(isThere, { timeoutMs: 10_000 })).toBe(true);
  expect(sent.join().includes(topics.box)).toBe(!polled);
});
