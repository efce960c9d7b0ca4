/**
 * How dnsmasq serves the desktops of a box: addresses for those that are known, and names by way of the box's own
 * name servers. On the bridge alone; it reads no file of the system's but /etc/resolv.conf. Runs as an account of its own with two rights
 * of root's, the low ports and the one that dnsmasq refuses to serve addresses without.
 */

import { networkNames } from "../domain/node/network-names.ts";
import type { NetworkPolicy } from "../domain/node/network-policy.ts";
import type { NetworkRange } from "../domain/node/network-range.ts";

export type DnsmasqFiles = {
  /** Belongs to root; dnsmasq reads it. */
  readonly folder: string;
  readonly hostsFolder: string;
  readonly optionsFolder: string;
  /** In a folder that is dnsmasq's own. */
  readonly pidFile: string;
};

export type DnsmasqOptions = {
  readonly instance: string;
  readonly range: NetworkRange;
  readonly policy: NetworkPolicy;
  readonly files: DnsmasqFiles;
  readonly account: { readonly uid: number; readonly gid: number };
};

const RIGHTS = "-all,+net_bind_service,+net_admin";

export function dnsmasqFiles(runFolder: string): DnsmasqFiles {
  const folder = `${runFolder}/dnsmasq`;
  return {
    ...{ folder, hostsFolder: `${folder}/hosts`, optionsFolder: `${folder}/options` },
    pidFile: `${folder}/own/pid`,
  };
}

export function dnsmasqCommand({
  instance,
  range,
  policy,
  files,
  account,
}: DnsmasqOptions): readonly string[] {
  const network = range.cidr.slice(0, range.cidr.indexOf("/"));
  return [
    "/usr/bin/setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--clear-groups",
    `--inh-caps=${RIGHTS}`,
    `--ambient-caps=${RIGHTS}`,
    `--bounding-set=${RIGHTS}`,
    "--no-new-privs",
    "--",
    "/usr/sbin/dnsmasq",
    ...["--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--log-facility=-"],
    `--pid-file=${files.pidFile}`,
    // It may start before the bridge is there.
    ...[`--interface=${networkNames(instance).bridge}`, "--except-interface=lo", "--bind-dynamic"],
    ...(policy.nameServers.length === 0
      ? ["--resolv-file=/etc/resolv.conf"]
      : ["--no-resolv", ...policy.nameServers.map((server) => `--server=${server}`)]),
    ...["--domain-needed", "--cache-size=1000"],
    `--dhcp-range=${network},static,${netmask(range.prefixLength)},12h`,
    `--dhcp-hostsdir=${files.hostsFolder}`,
    // Nobody else gets an address, and addresses are for life: there is nothing to probe and nothing to remember.
    // Not among the hosts: a name there is one for everybody who asks, and a desktop called like a machine of the
    // site's would take that name from it. Nor does it believe what desktops call themselves.
    ...[`--dhcp-optsdir=${files.optionsFolder}`, "--dhcp-ignore-names"],
    ...["--dhcp-ignore=tag:!known", "--dhcp-authoritative", "--no-ping", "--leasefile-ro", "--quiet-dhcp"],
    `--dhcp-option=option:router,${policy.gateway}`,
    ...(policy.domain === "" ? [] : [`--domain=${policy.domain}`]),
  ];
}

function netmask(prefixLength: number): string {
  const mask = 2 ** 32 - 2 ** (32 - prefixLength);
  return [24, 16, 8, 0].map((shift) => Math.floor(mask / 2 ** shift) % 256).join(".");
}
