/**
 * The rules of the desktop network as nft reads them. A desktop may speak only as itself (its hardware address,
 * its IPv4 address, plain ARP, its own question for an address) and only to its gateway, neighbours of its group
 * apart; from the host it gets addresses, names, answers and echo replies. Sets go by interface name, so a desktop's
 * elements may be there before its interface is and survive it; each has one a set, however many neighbours there are. To the
 * port of a desktop's screen comes its box alone.
 */

import type { NetworkNames } from "../domain/node/network-names.ts";
import type { AllowedTarget, NetworkPolicy } from "../domain/node/network-policy.ts";
import { lastDesktop, macOf, type NetworkRange } from "../domain/node/network-range.ts";
import { SCREEN_PORT } from "../domain/session/screen-port.ts";
import { BRIDGED_MARK, PORT_SETS, type PortElement, SET_NAMES } from "./port-element.ts";

export type RulesetOptions = {
  readonly names: NetworkNames;
  readonly range: NetworkRange;
  readonly policy: NetworkPolicy;
  readonly ports: readonly PortElement[];
  /** Name servers that desktops may ask even where they lie in a blocked range. */
  readonly resolvers: readonly string[];
};

/**
 * Networks that desktops don't reach through the box: the site's own machines and the link-local addresses
 * under which clouds hand out credentials.
 */
const BLOCKED = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];
/** Flows of one desktop at a time that the box keeps track of: a browser has hundreds, the whole table some 262144. */
const MOST_FLOWS = 2048;

/** Replaces both tables in one transaction: there is no moment without rules, and established flows go on. */
export function renderRuleset(options: RulesetOptions): string {
  const { table } = options.names;
  return `table bridge ${table}
delete table bridge ${table}
table inet ${table}
delete table inet ${table}
${renderBridgeTable(options)}${renderHostTable(options)}`;
}

/** What passes between the bridge's ports, and from them to the host. */
function renderBridgeTable({ names, range, policy, ports }: RulesetOptions): string {
  const { portPattern, table } = names;
  return `table bridge ${table} {
${SET_NAMES.map((name) => renderSet(name, ports)).join("")}  chain pre {
    type filter hook prerouting priority -300; policy accept;
    iifname "${portPattern}" jump guard
${onUplink(policy, (uplink) => `    iifname "${uplink}" jump outside\n`)}  }
  chain guard {
    iifname . ether saddr != @mac counter drop
    ether type ip iifname . ether saddr . ip saddr @ip4 jump v4
    ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 iifname . @th,288,48 @chaddr accept
    ether type arp arp htype 1 arp ptype ip iifname . arp saddr ether . arp saddr ip @ip4 accept
    counter drop
  }
  chain v4 {
    udp sport 67 counter drop
    accept
  }
  chain between {
    type filter hook forward priority -200; policy accept;
    iifname "${portPattern}" oifname "${portPattern}" jump neighbours
${onUplink(policy, (uplink) => renderPassage(portPattern, uplink))}  }
  chain neighbours {
    udp dport { 67, 68 } counter drop
    tcp dport ${SCREEN_PORT} counter drop
    meta mark set iifname map @groups
    meta mark . oifname @members accept
    counter drop
  }
${onUplink(policy, (uplink) => renderUplink(uplink, range))}}
`;
}

function renderPassage(portPattern: string, uplink: string): string {
  return `    iifname "${portPattern}" oifname "${uplink}" jump leaving
    iifname "${uplink}" oifname "${portPattern}" tcp dport ${SCREEN_PORT} counter drop
    iifname "${uplink}" oifname "${portPattern}" meta mark set ${BRIDGED_MARK}
`;
}

/**
 * A segment that others share: desktops and the site's machines meet there. Every box has the same address and hardware
 * address on its bridge, and desktops of other boxes are no neighbours: neither shows on the segment.
 */
function renderUplink(uplink: string, range: NetworkRange): string {
  return `  chain outside {
    ether saddr ${macOf(range.gateway)} counter drop
    ether saddr & ff:ff:00:00:00:00 == 02:51:00:00:00:00 counter drop
    ether type arp arp saddr ip ${range.gateway} counter drop
    ether type arp accept
    ether type ip udp sport 67 counter drop
    ether type ip accept
    counter drop
  }
  chain leaving {
    ether type arp arp daddr ip ${range.gateway} drop
    udp dport 67 counter drop
    meta mark set ${BRIDGED_MARK} accept
  }
  chain arriving {
    type filter hook input priority 0; policy accept;
    iifname "${uplink}" drop
  }
  chain hidden {
    type filter hook output priority 0; policy accept;
    oifname "${uplink}" drop
  }
`;
}

/** What the host takes from desktops, and what it passes on. */
function renderHostTable(options: RulesetOptions): string {
  const { range, policy } = options;
  const { bridge, table } = options.names;
  const span = `${range.firstDesktop}-${lastDesktop(range)}`;
  return `table inet ${table} {
  set flows { type ipv4_addr; size 65536; flags dynamic; }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "${bridge}" jump desk
${onUplink(policy, () => `    iifname != { "${bridge}", "lo" } ip saddr ${span} counter drop\n`)}  }
  chain desk {
    ct state established,related accept
    ct state new add @flows { ip saddr ct count over ${MOST_FLOWS} } counter drop
    ip daddr { ${range.gateway}, 255.255.255.255 } udp dport 67 accept
    ip daddr ${range.gateway} udp dport 53 accept
    ip daddr ${range.gateway} tcp dport 53 accept
    icmp type echo-request limit rate 20/second accept
    counter drop
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "${bridge}" oifname "${bridge}" meta mark & 0xff000000 == ${BRIDGED_MARK} accept
    iifname "${bridge}" oifname "${bridge}" counter drop
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" counter drop
    iifname "${bridge}" jump leaving
  }
  chain leaving {
${policy.uplink === undefined ? renderLeaving(options) : "    counter drop\n"}  }
${policy.isNat ? renderNat(range, bridge) : ""}}
`;
}

function renderLeaving({ policy, resolvers }: RulesetOptions): string {
  return `    ct state established,related accept
    ct state new add @flows { ip saddr ct count over ${MOST_FLOWS} } counter drop
${renderResolvers(resolvers)}${policy.allowed.map(renderAllowed).join("")}    ip daddr { ${BLOCKED.join(", ")} } counter reject with icmp admin-prohibited
`;
}

function renderNat(range: NetworkRange, bridge: string): string {
  return `  chain nat {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${range.cidr} oifname != "${bridge}" masquerade
  }
`;
}

function renderAllowed({ to, port }: AllowedTarget): string {
  return `    ip daddr ${to}${port === undefined ? "" : ` ${port.protocol} dport ${port.number}`} accept\n`;
}

function renderResolvers(resolvers: readonly string[]): string {
  if (resolvers.length === 0) return "";
  const to = `    ip daddr { ${resolvers.join(", ")} }`;
  return `${to} udp dport 53 accept\n${to} tcp dport 53 accept\n`;
}

function renderSet(name: (typeof SET_NAMES)[number], ports: readonly PortElement[]): string {
  const { kind, type, render } = PORT_SETS[name];
  const elements = ports.flatMap((port) => render(port) ?? []);
  // nft takes no empty list of elements.
  const filled = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} }`;
  return `  ${kind} ${name} { ${type};${filled} }\n`;
}

function onUplink(policy: NetworkPolicy, render: (uplink: string) => string): string {
  return policy.uplink === undefined ? "" : render(policy.uplink);
}
