/** How boxes of small and large sites wake each other, over a real database. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { listenForNotices } from "../../src/db/listen.ts";
import { notify } from "../../src/db/notify.ts";
import { readWakeCount } from "../../src/db/queries/node-wakes.ts";
import { asId, type NodeId, type VmId } from "../../src/domain/ids.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { reportWakes } from "../../src/node/report/report-wakes.ts";
import { MOST_LISTENERS, SiteWakes } from "../../src/node/site-wakes.ts";
import { NodeDatabase } from "../support/node-database.ts";

let rows: NodeDatabase;
let [one, two]: NodeId[] = [];
let vmId: VmId;
const opened: SiteWakes[] = [];

beforeAll(async () => {
  rows = await NodeDatabase.create("10.94.0");
  one = await rows.addNode("one");
  two = await rows.addNode("two");
  vmId = await rows.addVm("d1");
  await rows.owner.execute(sql`update vms set node_id = ${two} where id = ${vmId}`);
});
afterAll(async () => {
  for (const wakes of opened) await wakes.stop();
  await rows.database.drop();
});

async function open(nodeId: NodeId | undefined): Promise<{ wakes: SiteWakes; heard: string[] }> {
  const heard: string[] = [];
  const wakes = new SiteWakes({
    db: rows.node,
    nodeId: nodeId ?? asId<NodeId>(0),
    listenAddress: rows.database.address("qvd_node"),
    hear: (payload) => heard.push(payload),
    onCatchUp: () => heard.push("catch up"),
    log: silentLog(),
  });
  opened.push(wakes);
  await wakes.start();
  return { wakes, heard };
}

const aboutTheDesktop = () => `me\n${JSON.stringify({ topic: "vm", vmId })}`;

describe("a small site", () => {
  test("listens: a notice is heard as it was sent", async () => {
    const [from, to] = [await open(one), await open(two)];
    expect(await waitFor(() => to.heard.includes("catch up"), { timeoutMs: 15_000 })).toBe(true);
    from.wakes.send(aboutTheDesktop());
    expect(await waitFor(() => to.heard.includes(aboutTheDesktop()), { timeoutMs: 15_000 })).toBe(true);
    expect(to.wakes.isPolling).toBe(false);
  });
});

describe("a site of one box", () => {
  test("is told nothing until there is another, which is heard of at once", async () => {
    const site = await NodeDatabase.create("10.95.0");
    const only = await site.addNode("only");
    const heard: string[] = [];
    const address = site.database.address("qvd_node");
    const hear = (payload: string) => heard.push(payload);
    const other = listenForNotices(address, { onNotice: hear, onCatchUp: () => heard.push("catch up") });
    const options = { db: site.node, nodeId: only, listenAddress: address, log: silentLog() };
    let isListening = false;
    const onCatchUp = () => {
      isListening = true;
    };
    const wakes = new SiteWakes({ ...options, hear: () => {}, onCatchUp });
    await wakes.start();
    try {
      const areListening = () => isListening && heard.includes("catch up") && wakes.nodes === 1;
      expect(await waitFor(areListening, { timeoutMs: 15_000 })).toBe(true);
      // A count that the listening itself asked for has ended.
      expect(await waitFor(() => wakes.isAlone, { timeoutMs: 15_000 })).toBe(true);
      wakes.send("only\nunheard");
      await site.addNode("other");
      await notify(site.node, "other\nhere");
      expect(await waitFor(() => wakes.nodes === 2, { timeoutMs: 15_000 })).toBe(true);
      wakes.send("only\nheard");
      expect(await waitFor(() => heard.includes("only\nheard"), { timeoutMs: 15_000 })).toBe(true);
      expect(heard).toEqual(["catch up", "other\nhere", "only\nheard"]);
    } finally {
      other.close();
      await wakes.stop();
      await site.database.drop();
    }
  });

  test("hears of another within seconds where nobody listens, too", async () => {
    const site = await NodeDatabase.create("10.96.0");
    const only = await site.addNode("only");
    const options = { db: site.node, nodeId: only, listenAddress: undefined, log: silentLog() };
    const wakes = new SiteWakes({ ...options, hear: () => {}, onCatchUp: () => {} });
    await wakes.start();
    try {
      expect(await waitFor(() => wakes.isAlone, { timeoutMs: 15_000 })).toBe(true);
      const other = await site.addNode("other");
      await reportWakes(site.node, [{ topic: "node" }], other);
      expect(await waitFor(() => wakes.nodes === 2, { timeoutMs: 10_000 })).toBe(true);
      expect(wakes.isAlone).toBe(false);
    } finally {
      await wakes.stop();
      await site.database.drop();
    }
  });
});

describe("rows of wakes", () => {
  test("count for the desktop's node alone", async () => {
    const before = await readWakeCount(rows.node, two ?? asId<NodeId>(0));
    await reportWakes(rows.node, [{ topic: "vm", vmId }], one ?? asId<NodeId>(0));
    expect(await readWakeCount(rows.node, two ?? asId<NodeId>(0))).toBe(before + 1);
    expect(await readWakeCount(rows.node, one ?? asId<NodeId>(0))).toBe(0);
  });

  test("count for all when no desktop is named, but not for who wakes", async () => {
    await reportWakes(rows.node, [{ topic: "image" }], two ?? asId<NodeId>(0));
    expect(await readWakeCount(rows.node, one ?? asId<NodeId>(0))).toBe(1);
  });

  test("count for the box whose broker waits for the desktop", async () => {
    const session = await rows.requestSession(vmId);
    await rows.owner.execute(sql`update sessions set broker_node_id = ${one} where id = ${session}`);
    await reportWakes(rows.node, [{ topic: "vm", vmId }], two ?? asId<NodeId>(0));
    expect(await readWakeCount(rows.node, one ?? asId<NodeId>(0))).toBe(2);
  });
});

describe("a large site", () => {
  test("polls: a wake is heard within seconds, without a listener", async () => {
    await rows.owner.execute(
      sql`insert into nodes (name) select 'more-' || n from generate_series(1, ${MOST_LISTENERS}) n`,
    );
    const [from, to] = [await open(one), await open(two)];
    expect([from.wakes.isPolling, to.wakes.isPolling]).toEqual([true, true]);
    // The first poll learns where the row stands.
    expect(await waitFor(() => to.heard.length > 0, { timeoutMs: 15_000 })).toBe(true);
    to.heard.length = 0;
    from.wakes.send(aboutTheDesktop());
    expect(await waitFor(() => to.heard.length > 0, { timeoutMs: 15_000 })).toBe(true);
    expect(to.heard[0]).toContain(JSON.stringify({ topic: "vm" }));
  });

  test("is asked half as often by a box that is at work, beyond a thousand", async () => {
    await rows.owner.execute(
      sql`insert into nodes (name) select 'most-' || n from generate_series(1, 1000) n`,
    );
    const polls: (() => void)[] = [];
    const heard: string[] = [];
    const wakes = new SiteWakes({
      ...{ db: rows.node, nodeId: two ?? asId<NodeId>(0), listenAddress: undefined, log: silentLog() },
      hear: (payload) => heard.push(payload),
      isBusy: () => true,
      onCatchUp: () => {},
      timers: {
        after: (_ms, call) => {
          polls.push(call);
          return () => {};
        },
        every: () => () => {},
      },
    });
    opened.push(wakes);
    await wakes.start();
    const isHeard = async (timeoutMs: number) => {
      heard.length = 0;
      polls.at(-1)?.();
      return (await waitFor(() => heard.length > 0, { timeoutMs, everyMs: 5 })) === true;
    };
    expect(await isHeard(200)).toBe(false);
    expect(await isHeard(5_000)).toBe(true);
    await reportWakes(rows.node, [{ topic: "vm", vmId }], one ?? asId<NodeId>(0));
    expect(await isHeard(200)).toBe(false);
    expect(await isHeard(5_000)).toBe(true);
  });
});
