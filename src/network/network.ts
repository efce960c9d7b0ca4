/**
 * The desktop network of a box: a bridge behind NAT, and rules by which desktops reach neither each other nor
 * the host. What is there is read from the kernel, so a restarted node goes on with the ports of running
 * desktops; what was read and changed since is remembered to save a start from reading it again, and checks never
 * go by that. Called by the node's executors; addresses are decided elsewhere.
 */

import type { VmId } from "../domain/ids.ts";
import { interfaceName, networkNames } from "../domain/node/network-names.ts";
import { type NetworkPolicy, plainPolicy } from "../domain/node/network-policy.ts";
import type { NetworkPort } from "../domain/node/network-port.ts";
import { isInRange, macOf, type NetworkRange } from "../domain/node/network-range.ts";
import type { PortHealth } from "../domain/node/port-health.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { ArpProber } from "./arp-prober.ts";
import { ensureBridge, removeInterface } from "./bridge.ts";
import { checkPort } from "./check-port.ts";
import { DhcpHosts } from "./dhcp-hosts.ts";
import type { DnsmasqFiles } from "./dnsmasq-command.ts";
import { watchFilter } from "./filter-watch.ts";
import { KeptRules } from "./kept-rules.ts";
import { applyKernelSettings } from "./kernel-settings.ts";
import { listPorts, type ObservedPort } from "./list-ports.ts";
import { forgetNeighbours, pinNeighbours } from "./neighbours.ts";
import { Netlink } from "./netlink.ts";
import { isLetThrough } from "./port-elements.ts";
import { PortMemory } from "./port-memory.ts";

export type NetworkOptions = {
  readonly instance: string;
  readonly range: NetworkRange;
  /** Name servers that desktops may ask (`parseResolvers`). */
  readonly resolvers: readonly string[];
  /** Behind NAT and shut off from private ranges, unless the site says otherwise. */
  readonly policy?: NetworkPolicy;
  /** Where dnsmasq looks for the addresses that it hands out; without it, desktops must know theirs. */
  readonly dnsmasq?: DnsmasqFiles;
  readonly log: Log;
};

/** What else may be said of a desktop that is plugged in. */
export type PortOptions = {
  /** What DHCP calls it. */
  readonly hostName?: string;
  /** Desktops of the same group reach each other, those without one nobody. */
  readonly group?: number;
};

export interface Network {
  /** Makes or repairs bridge, rules and kernel settings; running desktops notice nothing. `conflict` when the range is in use elsewhere. */
  ensure(): Promise<void>;
  /** Lets a desktop speak as `address`; before its start. Takes earlier addresses and groups of it away. */
  addPort(vmId: VmId, address: string, more?: PortOptions): Promise<NetworkPort>;
  /** The port that `addPort` makes. */
  portOf(vmId: VmId, address: string): NetworkPort;
  removePort(vmId: VmId): Promise<void>;
  listPorts(): Promise<ReadonlyMap<VmId, ObservedPort>>;
  /** Whether a running desktop's own network is whole; many may be asked at once. Takes up to a second where nobody answers. */
  checkPort(vmId: VmId, address: string): Promise<PortHealth>;
  /** Puts back what somebody has taken from the rules; false when nothing was missing, or nothing was ever there. */
  mendRules(): Promise<boolean>;
  /** Tells soon after somebody else changed the rules, with who it was where that is known; until the signal. */
  watchRules(onChange: (by: string | undefined) => void, signal: AbortSignal): void;
  /** Takes everything away, for a box that is taken down. */
  remove(): Promise<void>;
}

export function createNetwork(options: NetworkOptions): Network {
  const { instance, range, resolvers, log, policy = plainPolicy(options.range) } = options;
  const names = networkNames(instance);
  const inTurn = createTurns();
  const prober = new ArpProber(names.bridge, { mac: macOf(range.gateway), address: range.gateway });
  const filter = new Netlink("filter");
  const route = new Netlink("route");
  const ports = new PortMemory(filter, names);
  const rules = new KeptRules(filter, ports, { names, range, policy, resolvers });
  const hosts = options.dnsmasq === undefined ? undefined : new DhcpHosts(options.dnsmasq);
  const ensure = async () => {
    await applyKernelSettings(log);
    await ensureBridge(names.bridge, range, policy.uplink);
    const known = await ports.refresh();
    await rules.load();
    await hosts?.keepOnly(known);
    // A bridge that was made anew has forgotten them.
    await pinNeighbours(route, known, names.bridge);
  };
  const addPort = async (vmId: VmId, address: string, more: PortOptions): Promise<NetworkPort> => {
    if (!isInRange(range, address))
      throw new AppError(
        "bad-input",
        `Plugging in desktop ${vmId}: its address ${address} is not in the desktop network ${range.cidr}`,
      );
    const port = portOf(options, vmId, address);
    const { interfaceName: name, mac } = port;
    const remove = (await ports.list()).filter((other) => other.interfaceName === name);
    const added = { interfaceName: name, mac, address, group: more.group };
    const gone = remove.filter((other) => other.address !== address);
    const made = await Promise.allSettled([
      rules.change({ remove, add: [added] }),
      hosts?.put({ interfaceName: name, mac, address, hostName: more.hostName }),
      forgetNeighbours(route, gone, names.bridge).then(() => pinNeighbours(route, [added], names.bridge)),
    ]);
    for (const one of made) if (one.status === "rejected") throw one.reason;
    return port;
  };
  const removePort = async (vmId: VmId) => {
    const name = interfaceName(instance, vmId);
    const remove = (await ports.refresh()).filter((port) => port.interfaceName === name);
    await rules.change({ remove, add: [] });
    await forgetNeighbours(route, remove, names.bridge);
    await hosts?.remove(name);
    await removeInterface(name);
  };
  const isKnown = (port: NetworkPort) => isLetThrough(filter, names, { ...port, group: undefined });
  const remove = async () => {
    await rules.remove();
    await removeInterface(names.bridge);
  };
  return {
    ensure: () => inTurn(ensure),
    addPort: (vmId, address, more = {}) => inTurn(() => addPort(vmId, address, more)),
    portOf: (vmId, address) => portOf(options, vmId, address),
    removePort: (vmId) => inTurn(() => removePort(vmId)),
    mendRules: () => inTurn(() => rules.mend()),
    watchRules: (onChange, signal) => void watchFilter({ table: names.table, onChange, log }, signal),
    remove: () => inTurn(remove),
    checkPort: (vmId, address) =>
      checkPort({ prober, isLetThrough: isKnown }, portOf(options, vmId, address)),
    listPorts: () => listPorts(filter, instance),
  };
}

function portOf({ instance, range, policy }: NetworkOptions, vmId: VmId, address: string): NetworkPort {
  const name = interfaceName(instance, vmId);
  const { bridge } = networkNames(instance);
  const { prefixLength } = range;
  const gateway = policy?.gateway ?? range.gateway;
  return { bridge, interfaceName: name, mac: macOf(address), address, prefixLength, gateway };
}

/** What is read, changed and loaded again must not cross another such change. Each turn is bounded by its programs' deadlines. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
}
