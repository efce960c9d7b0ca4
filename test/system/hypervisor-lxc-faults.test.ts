/** What happens to desktops when something is killed in the worst moment. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import type { VmId } from "../../src/domain/ids.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { groupFolder, listProcesses } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

// Its own words hold the pattern too.
const KILL_AGENT = `for p in /proc/[0-9]*; do
  [ "$p" = "/proc/$$" ] || ! grep -q /run/qvd/script "$p/cmdline" || kill -9 "\${p#/proc/}"
done`;

let lab: DesktopLab;
beforeAll(async () => {
  lab = await createDesktopLab("hvf", "10.246.0.0/24");
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

test("the end of a desktop whose first process was killed is told, without anybody's looking", async () => {
  const spec = await boot("polite");
  const ended = listenForEnd(spec.vmId);
  kill(await lab.init(spec.vmId));
  expect(await Promise.race([ended, sleep(30_000).then(() => "heard of nothing")])).toBe("told");
  await finish(spec.vmId);
});

test("a desktop whose monitor was killed ends, is cleaned up and starts again", async () => {
  const spec = await boot("polite");
  for (const pid of await listProcesses(lab.tree, "monitor", spec.vmId)) kill(pid);
  await expectEnd(spec.vmId);
  expect((await lab.hypervisor.observe()).get(spec.vmId)?.leftovers).not.toEqual([]);
  await lab.hypervisor.start(spec, never());
  expect(await isAlive(spec.vmId)).toBe(true);
  await finish(spec.vmId);
});

test("a frozen desktop counts as alive, ignores halt and is ended by kill", async () => {
  const spec = await boot("polite");
  await writeFile(`${groupFolder(lab.tree, "container", spec.vmId)}/cgroup.freeze`, "1\n");
  await lab.hypervisor.halt(spec.vmId);
  await sleep(300);
  expect(await isAlive(spec.vmId)).toBe(true);
  await lab.hypervisor.kill(spec.vmId);
  await expectEnd(spec.vmId);
  await finish(spec.vmId);
});

test("a desktop starts after its node was killed at any moment of its start", async () => {
  const driver = `${import.meta.dir}/../support/start-desktop.ts`;
  for (const delayMs of [5, 15, 25, 35, 45, 60, 90, 130]) {
    const spec = await lab.prepare("polite");
    const child = Bun.spawn([process.execPath, driver], {
      env: { ...CLEAN_ENV },
      stdin: new TextEncoder().encode(JSON.stringify({ spec, layout: lab.layout, instance: "hvf" })),
      stdout: "pipe",
      stderr: "inherit",
    });
    // It speaks just before it starts the desktop.
    await child.stdout.getReader().read();
    await sleep(delayMs);
    child.kill("SIGKILL");
    await child.exited;
    // What a node does that finds a desktop it knows nothing of: end it, or start it if there is none.
    if (await isAlive(spec.vmId)) {
      await lab.hypervisor.kill(spec.vmId);
      await expectEnd(spec.vmId);
    }
    await lab.hypervisor.start(spec, never());
    const hasBooted = await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 30_000 });
    expect(hasBooted).toBe(true);
    await finish(spec.vmId);
  }
}, 180_000);

test("an agent that is killed is started again, and the rest of the desktop goes on", async () => {
  const spec = await bootScript(`echo up >>/home/agent.log
[ -e /home/session ] || { setsid sleep 1000 & echo $! >/home/session; }
sleep 1000 & wait`);
  const look = "cat /home/session; readlink /proc/$(cat /home/session)/exe";
  // It stands back while it starts, so that it may not have come this far.
  await waitFor(async () => (await lab.inGuest(spec.vmId, look)).stdout !== "", {
    timeoutMs: 30_000,
    everyMs: 50,
  });
  const session = await lab.inGuest(spec.vmId, look);
  expect(session.stdout).not.toBe("");
  for (let life = 2; life <= 4; life += 1) {
    const agent = await lab.inGuest(spec.vmId, KILL_AGENT);
    expect(agent.exitCode).toBe(0);
    const isBack = await waitFor(
      async () => (await lab.inGuest(spec.vmId, "grep -c up /home/agent.log")).stdout.trim() === `${life}`,
      { timeoutMs: 30_000, everyMs: 50 },
    );
    expect(isBack).toBe(true);
  }
  expect((await lab.inGuest(spec.vmId, look)).stdout).toBe(session.stdout);
  await finish(spec.vmId);
}, 180_000);

test("a power-off announced by the agent ends the desktop", async () => {
  const spec = await bootScript(`echo up >>/home/agent.log; sleep 0.3
touch /run/qvd-guest/power-off; exit 80`);
  await expectEnd(spec.vmId);
  await finish(spec.vmId);
});

test("the power-off code without the announcement is a crash of the agent", async () => {
  const spec = await bootScript("echo up >>/home/agent.log; exit 80");
  const isRestarted = await waitFor(
    async () => Number((await lab.inGuest(spec.vmId, "grep -c up /home/agent.log")).stdout) >= 3,
    { timeoutMs: 30_000 },
  );
  expect(isRestarted).toBe(true);
  await finish(spec.vmId);
});

test("what processes leave behind is reaped by the desktop's first process", async () => {
  const spec = await bootScript(`echo up >>/home/agent.log
for n in 1 2 3 4 5 6 7 8; do (setsid sh -c 'sleep 0.2' &) ; done
sleep 1000 & wait`);
  const isReaped = await waitFor(
    async () => {
      const states = await lab.inGuest(spec.vmId, "grep -h '^State' /proc/[0-9]*/status");
      return states.exitCode === 0 && !states.stdout.includes("zombie");
    },
    { timeoutMs: 30_000 },
  );
  expect(isReaped).toBe(true);
  await finish(spec.vmId);
});

async function boot(manner: "polite" | "deaf"): Promise<DesktopSpec> {
  return started(await lab.prepare(manner));
}

async function bootScript(script: string): Promise<DesktopSpec> {
  return started(await lab.prepareScript(script));
}

async function started(spec: DesktopSpec): Promise<DesktopSpec> {
  await lab.hypervisor.start(spec, never());
  expect(await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 30_000 })).toBe(true);
  return spec;
}

function listenForEnd(vmId: VmId): Promise<"told"> {
  return new Promise((resolve) => {
    const stop = lab.hypervisor.watch(async (changed) => {
      if (changed !== vmId || (await isAlive(vmId))) return;
      stop();
      resolve("told");
    });
  });
}

async function isAlive(vmId: VmId): Promise<boolean> {
  return (await lab.hypervisor.observe()).get(vmId)?.isAlive ?? false;
}

async function expectEnd(vmId: VmId): Promise<void> {
  expect(await waitFor(async () => !(await isAlive(vmId)), { timeoutMs: 30_000 })).toBe(true);
}

async function finish(vmId: VmId): Promise<void> {
  await lab.hypervisor.kill(vmId);
  await expectEnd(vmId);
  await lab.hypervisor.cleanUp(vmId);
  expect(await lab.releaseAndCount(vmId)).toEqual([]);
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error("the process to kill is not there");
  process.kill(pid, "SIGKILL");
}

function never(): AbortSignal {
  return new AbortController().signal;
}
