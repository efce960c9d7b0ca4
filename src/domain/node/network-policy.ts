/** What desktops reach beyond their box, and by which way, as a site sets it. Parsed once, at the start of a node. */

import { AppError } from "../../lib/errors.ts";
import { isInRange, isIpv4, isOnSegment, type NetworkRange } from "./network-range.ts";

/** Something in a private range that desktops may reach, such as a file server or a printer. */
export type AllowedTarget = {
  /** An address or a range. */
  readonly to: string;
  /** Undefined allows every port and protocol. */
  readonly port: { readonly protocol: "tcp" | "udp"; readonly number: number } | undefined;
};

export type NetworkPolicy = {
  /** Desktops leave the box under its own address; otherwise the site's routers must know the way back. */
  readonly isNat: boolean;
  /** The box's interface that is a port of the bridge, so that desktops share its segment; undefined for none. */
  readonly uplink: string | undefined;
  /** Where desktops send what is not for their own network: the box, or a router of the shared segment. */
  readonly gateway: string;
  readonly allowed: readonly AllowedTarget[];
  /** Name servers that the box asks for its desktops; empty means those that it asks for itself. */
  readonly nameServers: readonly string[];
  /** Domain that desktops look names up in; empty for none. */
  readonly domain: string;
};

export type PolicyTexts = {
  readonly isNat: boolean;
  readonly uplink: string;
  readonly gateway: string;
  readonly allow: string;
  readonly nameServers: string;
  readonly domain: string;
};

/** Throws `bad-input` naming the setting. */
export function parseNetworkPolicy(texts: PolicyTexts, range: NetworkRange): NetworkPolicy {
  const { uplink, domain } = texts;
  if (uplink !== "" && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(uplink))
    throw refuse("QVD_NETWORK_INTERFACE", uplink, "the name of an interface of this box");
  if (domain !== "" && !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/.test(domain))
    throw refuse("QVD_NETWORK_DOMAIN", domain, "a domain such as office.example.org");
  const nameServers = splitList(texts.nameServers);
  for (const one of nameServers) if (!isIpv4(one)) throw refuse("QVD_NETWORK_DNS", one, "an IPv4 address");
  return {
    isNat: texts.isNat && uplink === "",
    uplink: uplink === "" ? undefined : uplink,
    gateway: parseGateway(texts, range),
    allowed: splitList(texts.allow).map(parseTarget),
    nameServers,
    domain,
  };
}

/** The policy of a site that sets nothing: behind NAT, and nothing in private ranges. */
export function plainPolicy(range: NetworkRange): NetworkPolicy {
  const empty = { uplink: "", gateway: "", allow: "", nameServers: "", domain: "" };
  return parseNetworkPolicy({ isNat: true, ...empty }, range);
}

function parseGateway({ uplink, gateway }: PolicyTexts, range: NetworkRange): string {
  if (gateway === "" || gateway === range.gateway) return range.gateway;
  if (uplink === "")
    throw refuse(
      "QVD_NETWORK_GATEWAY",
      gateway,
      "of use without QVD_NETWORK_INTERFACE: the box is the gateway then",
    );
  if (!isIpv4(gateway) || !isOnSegment(range, gateway) || isInRange(range, gateway))
    throw refuse(
      "QVD_NETWORK_GATEWAY",
      gateway,
      `an address of ${range.cidr} that no desktop can get (QVD_NETWORK_RANGE says which those are)`,
    );
  return gateway;
}

/** `192.168.1.0/24`, `192.168.1.5`, `192.168.1.5:445`, `192.168.1.9:161/udp`. */
function parseTarget(text: string): AllowedTarget {
  const match = /^([\d.]+)(?:\/(\d{1,2}))?(?::(\d{1,5})(?:\/(tcp|udp))?)?$/.exec(text);
  const [, address = "", prefix, portText, protocol] = match ?? [];
  const port = Number(portText ?? 1);
  const isGood = isIpv4(address) && Number(prefix ?? 32) <= 32 && port >= 1 && port <= 65_535;
  if (!isGood)
    throw refuse(
      "QVD_NETWORK_ALLOW",
      text,
      "an address or range, with a port or without: 192.168.1.0/24, 192.168.1.5:445, 192.168.1.9:161/udp",
    );
  return {
    to: prefix === undefined ? address : `${address}/${Number(prefix)}`,
    port: portText === undefined ? undefined : { protocol: protocol === "udp" ? "udp" : "tcp", number: port },
  };
}

function splitList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

function refuse(setting: string, value: string, wanted: string): AppError {
  return new AppError("bad-input", `${setting}: ${JSON.stringify(value)} is not ${wanted}.`, {
    field: setting,
  });
}
