/**
 * What our agent costs in each desktop, beside the nxagent of the same desktop, with a client connected and
 * nobody typing. The figure with the goal is private anonymous memory: heap, stack and pages copied on write, which
 * only the process's end frees. Pages of the executable are page cache that all desktops of a box and the node share.
 */

import { asId, type VmId } from "../src/domain/ids.ts";
import { listProcesses as listDesktopProcesses, openCgroupTree } from "../src/hypervisor/lxc/cgroup-tree.ts";
import { sleep } from "../src/lib/wait.ts";
import { type Bench, type BenchIo, type Figure, figure, median } from "./bench.ts";
import { onStage, STAGE_NEEDS } from "./desktop-stage.ts";
import { listProcesses, type MemoryUse, readMemory } from "./processes.ts";
import { bringTo } from "./rounds.ts";

const ROUNDS = 3;
const SETTLE_MS = 10_000;
const MOST_MB = 8;

export const guestBench: Bench = {
  name: "guest",
  summary: "memory of the idle agent in a desktop, beside nxagent's in the same one",
  needs: STAGE_NEEDS,
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  return onStage(io, "benchgst", async ({ box, person, visit }) => {
    const agents: MemoryUse[] = [];
    const servers: MemoryUse[] = [];
    for (let round = 1; round <= ROUNDS && !io.signal.aborted; round++) {
      await bringTo(box, [person.vmId], "stopped");
      const { leave } = await visit();
      await sleep(SETTLE_MS, io.signal);
      const { agent, server } = await findProcesses(box.instance, person.vmId);
      agents.push(readMemory(agent));
      servers.push(readMemory(server));
      io.say(`round ${round}: agent ${describe(agents)}; nxagent ${describe(servers)}`);
      await leave();
    }
    return compare(agents, servers);
  });
}

function compare(agents: readonly MemoryUse[], servers: readonly MemoryUse[]): Figure[] {
  const of = (pick: (use: MemoryUse) => number) => ({
    ours: median(agents.map(pick)),
    beside: "nxagent",
    theirs: median(servers.map(pick)),
  });
  return [
    figure("agent, private anonymous memory", "MB", {
      ...of((use) => use.privateAnonymousMb),
      goal: { on: "ours", atMost: MOST_MB },
    }),
    figure(
      "agent, private with its own pages of files",
      "MB",
      of((use) => use.privateMb),
    ),
    figure(
      "agent, resident",
      "MB",
      of((use) => use.residentMb),
    ),
  ];
}

async function findProcesses(instance: string, vmId: VmId): Promise<{ agent: number; server: number }> {
  const tree = await openCgroupTree(instance);
  const pids = new Set(await listDesktopProcesses(tree, "container", asId<VmId>(vmId)));
  const inside = listProcesses().filter((process) => pids.has(process.pid));
  const agent = inside.find(({ command }) => command[1] === "guest" && command[2] === "run");
  const server = inside.find(({ command }) => command[0]?.endsWith("nxagent"));
  if (agent === undefined || server === undefined) {
    throw new Error(`desktop ${vmId} has ${agent === undefined ? "no agent" : "no nxagent"}`);
  }
  return { agent: agent.pid, server: server.pid };
}

function describe(uses: readonly MemoryUse[]): string {
  const last = uses.at(-1);
  return `${last?.privateAnonymousMb.toFixed(1)} MB private, ${last?.residentMb.toFixed(1)} MB resident`;
}
