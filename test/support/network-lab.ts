/**
 * A desktop network for system tests, with a network namespace in each desktop's place: all that the rules see of
 * a desktop, without its disks and processes. Everything is named after the test's own instance.
 */

import { closeSync } from "node:fs";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { interfaceName } from "../../src/domain/node/network-names.ts";
import type { NetworkPolicy } from "../../src/domain/node/network-policy.ts";
import type { NetworkPort } from "../../src/domain/node/network-port.ts";
import { hostAddresses, parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { openTap } from "../../src/hypervisor/kvm/open-tap.ts";
import { silentLog } from "../../src/lib/log.ts";
import { type RunResult, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { DnsmasqFiles } from "../../src/network/dnsmasq-command.ts";
import { createNetwork, type Network, type PortOptions } from "../../src/network/network.ts";
import { claimLab, releaseLab, SHORT_CLAIM_MS } from "./claim-lab.ts";

export type LabDesktop = {
  readonly vmId: VmId;
  readonly port: NetworkPort;
  readonly namespace: string;
  /** Runs a program of the host in the desktop's network. */
  run(...command: string[]): Promise<RunResult>;
};

/** A virtual machine's cable without the machine. */
export type LabMachine = {
  readonly vmId: VmId;
  readonly port: NetworkPort;
  /** Of the tap, as its QEMU would have it. */
  readonly descriptor: number;
};

export type NetworkLabOptions = {
  readonly instance: string;
  readonly cidr: string;
  readonly policy?: NetworkPolicy;
  readonly resolvers?: readonly string[];
  readonly dnsmasq?: DnsmasqFiles;
};

export interface NetworkLab {
  readonly network: Network;
  /** Another over the same kernel, as a node has after its restart. */
  reopen(): Network;
  /** `isSilent` leaves the desktop's end down and without address. */
  plugIn(options?: PortOptions & { readonly isSilent?: boolean }): Promise<LabDesktop>;
  /** As the driver of virtual machines plugs one in; its cable goes with the lab. */
  plugInMachine(options?: PortOptions): Promise<LabMachine>;
  /** A namespace that isn't a desktop, such as a server outside; its host's end is called `outer`. */
  addOutside(name: string, outer: string): Promise<(...command: string[]) => Promise<RunResult>>;
  dispose(): Promise<void>;
}

type Enter = (...command: string[]) => Promise<RunResult>;

/** By one echo; what is not to be reached is asked so. */
export async function isReached(enter: Enter, address: string): Promise<boolean> {
  return (await enter("/usr/bin/ping", "-c1", "-W1", address)).exitCode === 0;
}

/**
 * What is to be reached is asked again: an answer may take longer than a second where much else runs, and after a refusal
 * the kernel asks for a neighbour's hardware address at most once a second.
 */
export async function comesToBeReached(enter: Enter, address: string): Promise<boolean> {
  return (await waitFor(() => isReached(enter, address), { timeoutMs: 30_000 })) === true;
}

/** Desktops in namespaces count from 1. */
const FIRST_MACHINE = 1_001;

export async function createNetworkLab(options: NetworkLabOptions): Promise<NetworkLab> {
  const { instance, cidr, policy, resolvers = [], dnsmasq } = options;
  await claimLab(instance, SHORT_CLAIM_MS);
  const range = parseNetworkRange(cidr);
  const open = () =>
    createNetwork({
      ...{ instance, range, resolvers, log: silentLog() },
      ...(policy === undefined ? {} : { policy }),
      ...(dnsmasq === undefined ? {} : { dnsmasq }),
    });
  const network = open();
  const namespaces: string[] = [];
  const descriptors: number[] = [];
  const addresses = hostAddresses(range);
  const addNamespace = async (name: string) => {
    namespaces.push(name);
    await ip("netns", "add", name);
    await ip("-n", name, "link", "set", "lo", "up");
    return inNamespace(name);
  };
  return {
    network,
    reopen: open,
    async plugIn({ isSilent = false, ...more } = {}) {
      const vmId = asId<VmId>(namespaces.length + 1);
      const namespace = `${instance}-${vmId}`;
      const enter = await addNamespace(namespace);
      const port = await network.addPort(vmId, addresses.next().value ?? "", more);
      const outer = interfaceName(instance, vmId);
      await ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace);
      await ip("-n", namespace, "link", "set", "eth0", "address", port.mac);
      await ip("link", "set", outer, "master", port.bridge, "up");
      if (!isSilent) {
        await ip("-n", namespace, "addr", "add", `${port.address}/${port.prefixLength}`, "dev", "eth0");
        await ip("-n", namespace, "link", "set", "eth0", "up");
        await ip("-n", namespace, "route", "add", "default", "via", port.gateway);
      }
      return { vmId, port, namespace, run: enter };
    },
    async plugInMachine(more = {}) {
      const vmId = asId<VmId>(FIRST_MACHINE + descriptors.length);
      const port = await network.addPort(vmId, addresses.next().value ?? "", more);
      const descriptor = await openTap(port);
      descriptors.push(descriptor);
      return { vmId, port, descriptor };
    },
    async addOutside(name, outer) {
      const enter = await addNamespace(name);
      await ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name);
      await ip("link", "set", outer, "up");
      await ip("-n", name, "link", "set", "eth0", "up");
      return enter;
    },
    async dispose() {
      for (const name of namespaces) await run(["/usr/sbin/ip", "netns", "del", name]);
      for (const descriptor of descriptors) closeSync(descriptor);
      await network.remove();
      releaseLab(instance);
    },
  };
}

function inNamespace(name: string): Enter {
  return (...command) =>
    run(["/usr/sbin/ip", "netns", "exec", name, ...command], {
      timeoutMs: 70_000,
    });
}

async function ip(...words: string[]): Promise<void> {
  await runOk("setting up the lab's network", ["/usr/sbin/ip", ...words]);
}
