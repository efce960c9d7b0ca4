/** script/demo as a person uses it, beside whatever demo may run on this machine. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { type RunResult, run } from "../../src/lib/run.ts";

const SCRIPT = fileURLToPath(new URL("../../script/demo", import.meta.url));
const INSTANCE = "demotest";
const STATE = "/var/tmp/qvd-demotest";
const PORTS = { broker: 28_443, admin: 29_443 };

function demo(...options: readonly string[]): Promise<RunResult> {
  const env = {
    HOME: process.env.HOME ?? "/root",
    QVD_DEMO_STATE: STATE,
    QVD_DEMO_INSTANCE: INSTANCE,
    QVD_DEMO_BROKER_PORT: String(PORTS.broker),
    QVD_DEMO_ADMIN_PORT: String(PORTS.admin),
    QVD_DEMO_RANGE: "10.94.0.0/16",
  };
  return run([SCRIPT, ...options], { env, timeoutMs: 300_000 });
}

async function countLeftovers(): Promise<readonly string[]> {
  const links = (await run(["ip", "-o", "link"])).stdout;
  const tables = (await run(["nft", "list", "tables"])).stdout;
  const processes = (await run(["pgrep", "-f", STATE])).stdout;
  const tree = await openCgroupTree(INSTANCE);
  const groups = tree.roots.map((root) => `${root}/${INSTANCE}`).filter((folder) => existsSync(folder));
  return [
    ...links.split("\n").filter((line) => line.includes(INSTANCE)),
    ...tables.split("\n").filter((line) => line.includes(INSTANCE)),
    ...readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(STATE)),
    ...processes.split("\n").filter(Boolean),
    ...groups,
  ];
}

beforeAll(async () => {
  await demo("--stop");
  rmSync(STATE, { recursive: true, force: true });
}, 310_000);

afterAll(async () => {
  await demo("--stop");
  rmSync(STATE, { recursive: true, force: true });
}, 310_000);

describe("script/demo", () => {
  test("says that there is none before the first run", async () => {
    const { exitCode, stderr } = await demo("--info");
    expect(stderr).toContain("script/demo --detach");
    expect(exitCode).toBe(1);
  });

  test("refuses what is no option of it", async () => {
    expect((await demo("--frobnicate")).exitCode).toBe(2);
  });

  test("does a person's round, and all of it holds", async () => {
    const { exitCode, stdout, stderr } = await demo("--check");
    expect(stderr).toContain("all 10 steps held");
    expect(stdout).toContain("cold connect to 101");
    expect(exitCode).toBe(0);
  }, 320_000);

  test("leaves nothing on the machine but its data", async () => {
    expect(await countLeftovers()).toEqual([]);
    expect(existsSync(`${STATE}/database`)).toBe(true);
  });

  test("goes on with the same data in the background, and describes itself for programs", async () => {
    const before = JSON.parse((await demo("--info")).stdout);
    expect(before).toMatchObject({
      broker: { host: "localhost", port: PORTS.broker },
      wat: { url: `https://localhost:${PORTS.admin}` },
      ca: `${STATE}/ca.crt`,
      user: { login: expect.any(String), password: expect.any(String) },
      other: { login: expect.any(String), password: expect.any(String), vm: expect.any(Number) },
      administrator: { login: expect.any(String), password: expect.any(String) },
      vm: { id: expect.any(Number) },
      state: STATE,
      colour: "#24476b",
    });
    expect((await demo("--detach")).exitCode).toBe(0);
    expect(JSON.parse((await demo("--info")).stdout)).toEqual(before);
    const answer = await fetch(before.wat.url, { tls: { ca: readFileSync(before.ca, "utf8") } });
    expect(answer.status).toBe(200);
  }, 320_000);

  test("keeps its passwords where only root reads them", () => {
    expect(statSync(`${STATE}/demo.json`).mode & 0o777).toBe(0o600);
    expect(statSync(`${STATE}/secrets/ca.key`).mode & 0o777).toBe(0o600);
    expect(statSync(`${STATE}/secrets`).mode & 0o777).toBe(0o711);
  });

  test("is stopped from elsewhere, and leaves nothing running", async () => {
    expect((await demo("--stop")).exitCode).toBe(0);
    expect(await countLeftovers()).toEqual([]);
    expect((await demo("--stop")).stderr).toContain("does not run");
  }, 310_000);
});
