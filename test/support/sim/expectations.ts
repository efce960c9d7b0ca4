/** What a scenario insists on, beside the log that is compared as a whole. */

import { sql } from "drizzle-orm";
import { parseNames, type SimCommand } from "./sentence.ts";
import type { SimSite } from "./site.ts";

export const SIM_EXPECTATIONS: readonly SimCommand[] = [
  {
    pattern:
      /^expect (?<names>[a-z]\S*) (?<state>stopped|starting_1|starting_2|running|stopping_1|stopping_2|zombie_1|zombie_2|unreported|gone)(?: on (?<box>\w+))?$/,
    run: async (site, { names = "", state, box }) => {
      for (const name of names === "all" ? site.vms.keys() : parseNames(names)) {
        const seen = await read(site, name);
        insist(seen.state === state, `${name} is ${seen.state}`);
        if (box !== undefined) insist(seen.node === box, `${name} is on ${seen.node}`);
      }
    },
  },
  {
    pattern: /^expect (?<count>\d+) (?<state>\w+)$/,
    run: async (site, { count, state }) => {
      const states = await Promise.all(
        [...site.vms.keys()].map(async (name) => (await read(site, name)).state),
      );
      const found = states.filter((one) => one === state).length;
      insist(found === Number(count), `${found} are ${state}`);
    },
  },
  {
    pattern: /^expect (?<name>\w+) (?<how>alive|dead) on (?<box>\w+)$/,
    run: async (site, { name = "", how, box = "" }) => {
      const isAlive = site.box(box).hypervisor.isAlive(site.vm(name));
      insist(isAlive === (how === "alive"), `${name} is ${isAlive ? "alive" : "dead"} on ${box}`);
    },
  },
  {
    pattern: /^expect (?<name>\w+) to tell (?<code>[\w-]+)(?: (?<times>\d+) times?)?$/,
    run: async (site, { name = "", code = "", times }) => {
      const rows = await site.link.db.execute(
        sql`select from vm_events where vm_id = ${site.vm(name)} and code = ${code}`,
      );
      if (times === undefined) insist(rows.length > 0, `${name} never told ${code}`);
      else insist(rows.length === Number(times), `${name} told ${code} ${rows.length} times`);
    },
  },
  {
    pattern: /^expect the life of (?<name>\w+) on (?<box>\w+) to be (?<life>\d+)$/,
    run: async (site, { name = "", box = "", life }) => {
      const seen = site.box(box).hypervisor.life(site.vm(name));
      insist(seen === Number(life), `${name} is in its life ${seen}`);
    },
  },
  {
    pattern: /^expect nothing of (?<name>\w+) on (?<box>\w+)$/,
    run: async (site, { name = "", box = "" }) => {
      const { host, disks } = site.box(box);
      const vmId = site.vm(name);
      insist(!host.desktops.has(vmId) && !disks.mounted.has(vmId), `something of ${name} is left on ${box}`);
    },
  },
];

async function read(
  site: SimSite,
  name: string,
): Promise<{ readonly state: string; readonly node: string | null }> {
  const [row] = await site.link.db.execute<{ state: string; node: string | null }>(sql`
    select coalesce(r.state, 'unreported') as state, n.name as node from vms v
    left join vm_reports r on r.vm_id = v.id left join nodes n on n.id = v.node_id where v.id = ${site.vm(name)}`);
  return row ?? { state: "gone", node: null };
}

function insist(isSo: boolean, instead: string): void {
  if (!isSo) throw new Error(`it isn't so: ${instead}`);
}
