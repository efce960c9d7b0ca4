/** Reads back and changes who may speak through which interface: the elements of the nft sets. */

import { z } from "zod";
import type { NetworkNames } from "../domain/node/network-names.ts";
import { run, runOk } from "../lib/run.ts";
import { type PortElement, renderIp4Element, renderMacElement } from "./render-ruleset.ts";

const setSchema = z.object({
  nftables: z.array(
    z.object({
      set: z
        .object({
          elem: z.array(z.object({ concat: z.tuple([z.string(), z.string(), z.string()]) })).optional(),
        })
        .optional(),
    }),
  ),
});

/** What the kernel holds; nothing where the tables don't exist. */
export async function listPortElements(names: NetworkNames): Promise<readonly PortElement[]> {
  const listed = await run(["/usr/sbin/nft", "--json", "list", "set", "bridge", names.table, "ip4"], {
    timeoutMs: 10_000,
  });
  if (listed.exitCode !== 0) return [];
  return parsePortElements(listed.stdout);
}

export function parsePortElements(json: string): readonly PortElement[] {
  return setSchema
    .parse(JSON.parse(json))
    .nftables.flatMap((part) => part.set?.elem ?? [])
    .map(({ concat: [interfaceName, mac, address] }) => ({ interfaceName, mac, address }));
}

/** Removes and adds in one transaction. */
export async function changePortElements(
  names: NetworkNames,
  change: { readonly remove: readonly PortElement[]; readonly add: readonly PortElement[] },
): Promise<void> {
  const lines: string[] = [];
  for (const [verb, ports] of [["delete", change.remove] as const, ["add", change.add] as const])
    for (const port of ports) {
      lines.push(`${verb} element bridge ${names.table} mac { ${renderMacElement(port)} }`);
      lines.push(`${verb} element bridge ${names.table} ip4 { ${renderIp4Element(port)} }`);
    }
  if (lines.length > 0) await loadRules(lines.join("\n"));
}

/** All of `text` or nothing of it. */
export async function loadRules(text: string): Promise<void> {
  await runOk("Loading the rules of the desktop network", ["/usr/sbin/nft", "-f", "-"], {
    stdin: `${text}\n`,
    timeoutMs: 10_000,
  });
}
