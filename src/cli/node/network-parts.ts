/** The desktop network of a box as its settings want it: the policy, and dnsmasq as one of the node's workers. */

import type { Config } from "../../config/load-config.ts";
import { type NetworkPolicy, parseNetworkPolicy } from "../../domain/node/network-policy.ts";
import type { NetworkRange } from "../../domain/node/network-range.ts";
import { type DnsmasqFiles, dnsmasqCommand, dnsmasqFiles } from "../../network/dnsmasq-command.ts";
import type { WorkerSpec } from "../../node/supervise.ts";
import { readAccount } from "../accounts.ts";

export type NetworkParts = {
  readonly policy: NetworkPolicy;
  readonly dnsmasq: DnsmasqFiles;
  readonly worker: WorkerSpec;
};

/** Throws `bad-input` naming the setting that is wrong. */
export function networkParts(config: Config, range: NetworkRange): NetworkParts {
  const policy = parseNetworkPolicy(
    {
      isNat: config.networkNat === "yes",
      uplink: config.networkInterface,
      gateway: config.networkGateway,
      allow: config.networkAllow,
      nameServers: config.networkDns,
      domain: config.networkDomain,
    },
    range,
  );
  const files = dnsmasqFiles(config.runFolder);
  const account = readAccount("qvd-net");
  const command = dnsmasqCommand({ instance: config.instance, range, policy, files, account });
  // It gives up root's rights by itself, but for the two that it needs.
  const worker = { name: "dnsmasq", command, account: undefined, env: {}, followsCommand: true };
  return { policy, dnsmasq: files, worker };
}
