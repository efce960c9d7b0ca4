/** Reads back and changes who may speak through which interface: the elements of the nft sets. */

import { z } from "zod";
import type { NetworkNames } from "../domain/node/network-names.ts";
import { type RunResult, run, runOk } from "../lib/run.ts";
import { groupOf, PORT_SETS, type PortElement, SET_NAMES } from "./port-element.ts";

const listSchema = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          elem: z.array(z.object({ concat: z.tuple([z.string(), z.string(), z.string()]) })).optional(),
        })
        .optional(),
      map: z.object({ elem: z.array(z.tuple([z.string(), z.number()])).optional() }).optional(),
    }),
  ),
});

/** What the kernel holds; nothing where the tables don't exist. */
export async function listPortElements(names: NetworkNames): Promise<readonly PortElement[]> {
  const [ports, groups] = await Promise.all([
    list("set", "bridge", names.table, "ip4"),
    list("map", "bridge", names.table, "groups"),
  ]);
  if (ports.exitCode !== 0) return [];
  // Tables of an earlier release have no groups.
  return parsePortElements(ports.stdout, groups.exitCode === 0 ? groups.stdout : undefined);
}

/** The same without the groups, for one program less: who may speak as what. */
export async function listLetThrough(names: NetworkNames): Promise<readonly Omit<PortElement, "group">[]> {
  const { exitCode, stdout } = await list("set", "bridge", names.table, "ip4");
  return exitCode === 0 ? parsePortElements(stdout) : [];
}

function list(...words: string[]): Promise<RunResult> {
  return run(["/usr/sbin/nft", "--json", "list", ...words], { timeoutMs: 10_000 });
}

export function parsePortElements(portsJson: string, groupsJson?: string): readonly PortElement[] {
  const parse = (json: string) => listSchema.parse(JSON.parse(json)).nftables;
  const groups = new Map(
    (groupsJson === undefined ? [] : parse(groupsJson))
      .flatMap(({ map }) => map?.elem ?? [])
      .map(([name, mark]) => [name, groupOf(mark)] as const),
  );
  return parse(portsJson)
    .flatMap(({ set }) => set?.elem ?? [])
    .map(({ concat: [interfaceName, mac, address] }) => ({
      interfaceName,
      mac,
      address,
      group: groups.get(interfaceName),
    }));
}

/** Removes and adds in one transaction. */
export async function changePortElements(
  names: NetworkNames,
  change: { readonly remove: readonly PortElement[]; readonly add: readonly PortElement[] },
): Promise<void> {
  const lines: string[] = [];
  for (const [verb, ports] of [["delete", change.remove] as const, ["add", change.add] as const])
    for (const port of ports)
      for (const set of SET_NAMES) {
        const element = PORT_SETS[set].render(port);
        if (element === undefined) continue;
        // What isn't there can't be deleted, and one set may have lost it by another's hand.
        if (verb === "delete") lines.push(`add element bridge ${names.table} ${set} { ${element} }`);
        lines.push(`${verb} element bridge ${names.table} ${set} { ${element} }`);
      }
  if (lines.length > 0) await loadRules(lines.join("\n"));
}

/** All of `text` or nothing of it. */
export async function loadRules(text: string): Promise<void> {
  await runOk("Loading the rules of the desktop network", ["/usr/sbin/nft", "-f", "-"], {
    stdin: `${text}\n`,
    timeoutMs: 30_000,
  });
}
