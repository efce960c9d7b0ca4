/** Which name servers desktops can use: those of the host that can be reached from elsewhere than the host. */

/** IPv4 name servers in the text of a resolv.conf(5), without those on loopback; at most three, as the C library takes. */
export function parseResolvers(resolvConf: string): readonly string[] {
  const found = new Set<string>();
  for (const line of resolvConf.split("\n")) {
    const address = /^\s*nameserver\s+(\d{1,3}(?:\.\d{1,3}){3})\s*(?:[#;].*)?$/.exec(line)?.[1];
    if (address === undefined || !address.split(".").every((part) => Number(part) < 256)) continue;
    if (!address.startsWith("127.") && !address.startsWith("0.")) found.add(address);
  }
  return [...found].slice(0, 3);
}
