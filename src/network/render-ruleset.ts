/**
 * The rules of the desktop network as nft reads them. A desktop may speak only as itself (its hardware address,
 * its IPv4 address, plain ARP), only to its gateway, and from the host it gets answers and echo replies only.
 * Sets go by interface name, so a desktop's elements may be there before its interface is and survive it.
 */

import type { NetworkNames } from "../domain/node/network-names.ts";
import type { NetworkRange } from "../domain/node/network-range.ts";

/** Who may speak through an interface. */
export type PortElement = {
  readonly interfaceName: string;
  readonly mac: string;
  readonly address: string;
};

export type RulesetOptions = {
  readonly names: NetworkNames;
  readonly range: NetworkRange;
  readonly ports: readonly PortElement[];
  /** Name servers that desktops may ask even where they lie in a blocked range. */
  readonly resolvers: readonly string[];
};

/**
 * Networks that desktops don't reach through the box: the site's own machines and the link-local addresses
 * under which clouds hand out credentials.
 */
const BLOCKED = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];

/** Replaces both tables in one transaction: there is no moment without rules, and established flows go on. */
export function renderRuleset(options: RulesetOptions): string {
  const { bridge, portPattern, table } = options.names;
  const { ports } = options;
  return `table bridge ${table}
delete table bridge ${table}
table inet ${table}
delete table inet ${table}
table bridge ${table} {
  set mac { type ifname . ether_addr; ${renderElements(ports.map(renderMacElement))} }
  set ip4 { type ifname . ether_addr . ipv4_addr; ${renderElements(ports.map(renderIp4Element))} }
  chain pre {
    type filter hook prerouting priority -300; policy accept;
    iifname "${portPattern}" jump guard
  }
  chain guard {
    iifname . ether saddr != @mac counter drop
    ether type ip iifname . ether saddr . ip saddr @ip4 jump v4
    ether type arp arp htype 1 arp ptype ip iifname . arp saddr ether . arp saddr ip @ip4 accept
    counter drop
  }
  chain v4 {
    udp sport 67 counter drop
    accept
  }
  chain between {
    type filter hook forward priority 0; policy accept;
    iifname "${portPattern}" oifname "${portPattern}" counter drop
  }
}
table inet ${table} {
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "${bridge}" jump desk
  }
  chain desk {
    ct state established,related accept
    icmp type echo-request limit rate 20/second accept
    counter drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "${bridge}" oifname "${bridge}" counter drop
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" counter drop
${renderResolvers(bridge, options.resolvers)}    iifname "${bridge}" ip daddr { ${BLOCKED.join(", ")} } counter reject with icmp admin-prohibited
  }
  chain nat {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${options.range.cidr} oifname != "${bridge}" masquerade
  }
}
`;
}

export function renderMacElement(port: PortElement): string {
  return `"${port.interfaceName}" . ${port.mac}`;
}

export function renderIp4Element(port: PortElement): string {
  return `"${port.interfaceName}" . ${port.mac} . ${port.address}`;
}

/** nft takes no empty list of elements. */
function renderElements(elements: readonly string[]): string {
  return elements.length === 0 ? "" : `elements = { ${elements.join(", ")} }`;
}

function renderResolvers(bridge: string, resolvers: readonly string[]): string {
  if (resolvers.length === 0) return "";
  const to = `iifname "${bridge}" ip daddr { ${resolvers.join(", ")} }`;
  return `    ${to} udp dport 53 accept\n    ${to} tcp dport 53 accept\n`;
}
