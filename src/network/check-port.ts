/**
 * Whether a desktop's own network is whole, seen from its host: the interface, the bridge, the rules, and an
 * answer under the desktop's own hardware address. Needs nothing inside of the desktop, so it works when the
 * guest channel is all that still does.
 */

import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { NetworkPort } from "../domain/node/network-port.ts";
import type { PortFault, PortHealth } from "../domain/node/port-health.ts";
import type { ArpProber } from "./arp-prober.ts";

export type CheckDeps = {
  readonly prober: ArpProber;
  /** Whether the packet filter knows it. */
  readonly isLetThrough: (port: NetworkPort) => Promise<boolean>;
};

const IFF_UP = 1;

/** Takes up to a second where nobody answers; changes nothing. */
export async function checkPort(deps: CheckDeps, port: NetworkPort): Promise<PortHealth> {
  const folder = `/sys/class/net/${port.interfaceName}`;
  if (!existsSync(folder))
    return fault("interface-missing", `its interface ${port.interfaceName} doesn't exist on the box`);
  const master = orNothing(() => readlinkSync(`${folder}/master`));
  if (master.split("/").at(-1) !== port.bridge)
    return fault("not-in-bridge", `its interface ${port.interfaceName} is not in the bridge ${port.bridge}`);
  const flags = Number(orNothing(() => readFileSync(`${folder}/flags`, "utf8")));
  if ((flags & IFF_UP) === 0 || (await readCarrier(folder)) !== "1")
    return fault("interface-down", `its interface ${port.interfaceName} is down`);
  // Both take their time; where the rules are missing, nobody hears its answer.
  const answered = deps.prober.ask(port);
  if (!(await deps.isLetThrough(port)))
    return fault(
      "rules-missing",
      `the box's packet filter doesn't know it as ${port.address}, ${port.mac}; the node puts its rules back within a minute, or says why not`,
    );
  if (!(await answered))
    return fault(
      "no-answer",
      `it doesn't answer at ${port.address} as ${port.mac}: its own network settings are not what it was given`,
    );
  return { isOk: true };
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    // It has no bridge, or went just now.
    return "";
  }
}

/** The kernel refuses to tell while the interface is down, and lets wait while somebody changes the network: in a thread. */
async function readCarrier(folder: string): Promise<string> {
  return readFile(`${folder}/carrier`, "utf8").then(
    (text) => text.trim(),
    () => "0",
  );
}

function fault(code: PortFault, text: string): PortHealth {
  return { isOk: false, code, text };
}
