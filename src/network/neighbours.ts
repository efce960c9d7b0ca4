/** The host's table of who has which address on the bridge: told, not asked for. */

import { run, runOk } from "../lib/run.ts";
import type { PortElement } from "./port-element.ts";

/** Without it the host asks for up to 40 seconds where a desktop used to be that has moved or changed its interface. */
export async function pinNeighbours(ports: readonly PortElement[], bridge: string): Promise<void> {
  const lines = ports.map(
    ({ address, mac }) => `neigh replace ${address} lladdr ${mac} dev ${bridge} nud permanent\n`,
  );
  if (lines.length === 0) return;
  await runOk("Making desktops' addresses known to the host", ["/usr/sbin/ip", "-batch", "-"], {
    stdin: lines.join(""),
    timeoutMs: 10_000,
  });
}

export async function forgetNeighbours(ports: readonly PortElement[], bridge: string): Promise<void> {
  // An entry may have gone with the bridge: nothing to report then, and the others go all the same.
  if (ports.length > 0)
    await run(["/usr/sbin/ip", "-force", "-batch", "-"], {
      stdin: ports.map(({ address }) => `neigh del ${address} dev ${bridge}\n`).join(""),
      timeoutMs: 10_000,
    });
}
