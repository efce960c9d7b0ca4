/** The files of the right to run, on a real file system: counter, keeper's word, identity of the shared storage. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type NodeId } from "../../src/domain/ids.ts";
import { leaseTimes } from "../../src/domain/node/lease-times.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { openKeeperCalls } from "../../src/node/keeper/system-calls.ts";
import { counterFile, readCounter, writeCounter } from "../../src/node/lease/counter-file.ts";
import { type KeeperFile, readKeeperFile, writeKeeperFile } from "../../src/node/lease/keeper-file.ts";
import { KeptLease } from "../../src/node/lease/kept-lease.ts";
import { ensureSharedId, readSharedId, requireSharedId } from "../../src/node/lease/shared-site.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-lease-`);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a counter", () => {
  test("is made with its folder, always as long, and reads differently after each writing", async () => {
    const path = counterFile(`${folder}/leases`, asId<NodeId>(3));
    expect(await readCounter(path)).toBeUndefined();
    await writeCounter(path, { count: 1_000_000, epoch: 2, boxId: "b" });
    const first = await readCounter(path);
    await writeCounter(path, { count: 7, epoch: 2, boxId: "b" });
    expect(await readCounter(path)).not.toBe(first);
    expect(JSON.parse((await readCounter(path)) ?? "")).toEqual({ count: 7, epoch: 2, boxId: "b" });
    expect(statSync(path).size).toBe(512);
  });
});

describe("shared storage", () => {
  test("has one identity, whoever makes it first", async () => {
    expect(await readSharedId(folder)).toBeUndefined();
    const ids = await Promise.all(Array.from({ length: 8 }, () => ensureSharedId(folder)));
    expect(new Set(ids).size).toBe(1);
    expect(await readSharedId(folder)).toBe(ids[0]);
  });
  test("that isn't mounted at a later start is not taken for new storage", async () => {
    mkdirSync(`${folder}/state`);
    const id = await requireSharedId(`${folder}/shared`, `${folder}/state`);
    expect(await requireSharedId(`${folder}/shared`, `${folder}/state`)).toBe(id);
    rmSync(`${folder}/shared`, { recursive: true });
    mkdirSync(`${folder}/shared`);
    await expect(requireSharedId(`${folder}/shared`, `${folder}/state`)).rejects.toThrow(/Is it mounted\?/);
  });
  test("without a mount has none", async () => {
    expect(await readSharedId(`${folder}/nowhere`)).toBeUndefined();
  });
});

describe("the keeper's word", () => {
  const ORIGIN = { bootId: "boot", boxId: "box" };
  const calls = openKeeperCalls();
  const path = () => `${folder}/keeper.json`;
  const word = (more: Partial<KeeperFile> = {}): KeeperFile => ({
    ...{ ...ORIGIN, pid: 1, nodeId: 3, epoch: 5, phase: "held", fences: true, trouble: "" },
    renewals: { rowAtMs: calls.bootMs(), counterAtMs: calls.bootMs() },
    beatMs: calls.bootMs(),
    ...more,
  });
  let did: string[];
  let lease: KeptLease;
  /** Moved on by hand: nothing lapses because the machine is busy. */
  let aheadMs: number;
  beforeEach(() => {
    did = [];
    aheadMs = 0;
    lease = new KeptLease({
      filePath: path(),
      origin: ORIGIN,
      bootMs: () => calls.bootMs() + aheadMs,
      fence: { freezeProcesses: () => void did.push("freeze"), freezeDisks: async () => true },
      times: leaseTimes(60_000),
      onLost: () => void did.push("lost"),
      log: silentLog(),
    });
  });
  afterEach(() => lease.stop());

  test("is read again by its successor, and not after a start of the machine", () => {
    expect(readKeeperFile(path(), ORIGIN)).toBeUndefined();
    writeKeeperFile(path(), word());
    expect(readKeeperFile(path(), ORIGIN)).toMatchObject({ epoch: 5, phase: "held" });
    expect(readKeeperFile(path(), { ...ORIGIN, bootId: "another" })).toBeUndefined();
    writeFileSync(path(), readFileSync(path(), "utf8").slice(0, 40));
    expect(readKeeperFile(path(), ORIGIN)).toBeUndefined();
  });
  test("of a box that was made anew is not its own", () => {
    writeKeeperFile(path(), word());
    expect(readKeeperFile(path(), { ...ORIGIN, boxId: "the one before" })).toBeUndefined();
  });
  test("lets the node process begin, and end when the epoch is over", async () => {
    const started = lease.start();
    expect(lease.state).toMatchObject({ isHeld: false, phase: "unknown" });
    writeKeeperFile(path(), word());
    await started;
    expect(lease.state).toMatchObject({ isHeld: true, epoch: 5, fences: true });
    writeKeeperFile(path(), word({ epoch: 7 }));
    expect(await waitFor(() => did.includes("lost") || undefined, { timeoutMs: 10_000 })).toBe(true);
    expect(lease.state.isHeld).toBe(false);
  });
  test("that stops coming makes the node process freeze the desktops before the lapse", async () => {
    writeKeeperFile(path(), word());
    await lease.start();
    expect(did).toEqual([]);
    aheadMs = 50_000;
    expect(await waitFor(() => did.includes("freeze") || undefined, { timeoutMs: 10_000 })).toBe(true);
    expect(lease.state.isHeld).toBe(false);
  });
  test("that it gives up an epoch keeps the node process from freezing, as long as it speaks", async () => {
    writeKeeperFile(path(), word());
    await lease.start();
    const speak = () =>
      writeKeeperFile(path(), word({ phase: "lost", renewals: { rowAtMs: 1, counterAtMs: 0 } }));
    speak();
    expect(await waitFor(() => did.includes("lost") || undefined, { timeoutMs: 10_000 })).toBe(true);
    const hasFrozen = () => {
      speak();
      return did.includes("freeze") || undefined;
    };
    expect(await waitFor(hasFrozen, { timeoutMs: 700 })).toBeUndefined();
    aheadMs = 3_000;
    expect(await waitFor(() => did.includes("freeze") || undefined, { timeoutMs: 10_000 })).toBe(true);
  });
  test("of a box that nobody could take over from lets nothing lapse", async () => {
    writeKeeperFile(path(), word({ fences: false }));
    await lease.start();
    aheadMs = 3_600_000;
    expect(await waitFor(() => did.length > 0 || undefined, { timeoutMs: 700 })).toBeUndefined();
    expect(lease.state.isHeld).toBe(true);
  });
});
