import { expect, test } from "bun:test";
import { networkNames } from "../domain/node/network-names.ts";
import { plainPolicy } from "../domain/node/network-policy.ts";
import { parseNetworkRange } from "../domain/node/network-range.ts";
import { renderRuleset } from "./render-ruleset.ts";

const RANGE = parseNetworkRange("10.80.0.0/16");
const BASE = {
  names: networkNames("box2"),
  range: RANGE,
  policy: plainPolicy(RANGE),
  ports: [],
  resolvers: [],
};
const PORT = { interfaceName: "box2-7", mac: "02:51:0a:50:00:09", address: "10.80.0.9", group: undefined };

test("every name in the rules is the instance's", () => {
  const rules = renderRuleset({ ...BASE, ports: [PORT] });
  expect(rules).not.toContain("qvd");
  expect(rules.match(/table \w+ box2/g)?.length).toBe(6);
  expect(rules).toContain('iifname "box2-*" jump guard');
});

test("a port is in each set, and an empty list of elements isn't written", () => {
  const rules = renderRuleset({ ...BASE, ports: [PORT] });
  expect(rules).toContain('elements = { "box2-7" . 02:51:0a:50:00:09 }');
  expect(rules).toContain('elements = { "box2-7" . 02:51:0a:50:00:09 . 10.80.0.9 }');
  expect(rules).toContain('elements = { "box2-7" . 0x02510a500009 }');
  expect(rules).toContain("map groups { type ifname : mark; }");
  expect(renderRuleset(BASE)).not.toContain("elements");
});

test("name servers are let through before private ranges are shut", () => {
  const rules = renderRuleset({ ...BASE, resolvers: ["10.0.0.2", "192.168.1.1"] });
  const accepted = rules.indexOf("ip daddr { 10.0.0.2, 192.168.1.1 } udp dport 53 accept");
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(rules.indexOf("reject with icmp"));
  expect(renderRuleset(BASE)).not.toContain("udp dport 53 accept\n    tcp");
});

test("what a site allows is let through before private ranges are shut, and nothing else of them", () => {
  const allowed = [
    { to: "192.168.7.0/24", port: undefined },
    { to: "10.1.2.3", port: { protocol: "udp", number: 161 } as const },
  ];
  const rules = renderRuleset({ ...BASE, policy: { ...BASE.policy, allowed } });
  const shut = rules.indexOf("reject with icmp");
  for (const line of ["ip daddr 192.168.7.0/24 accept", "ip daddr 10.1.2.3 udp dport 161 accept"]) {
    expect(rules).toContain(line);
    expect(rules.indexOf(line)).toBeLessThan(shut);
  }
});

test("without NAT desktops leave under their own addresses", () => {
  expect(renderRuleset(BASE)).toContain("masquerade");
  expect(renderRuleset({ ...BASE, policy: { ...BASE.policy, isNat: false } })).not.toContain("masquerade");
});

test("on a shared segment the box shows nothing of its own and passes nothing on", () => {
  const policy = { ...BASE.policy, isNat: false, uplink: "eth1", gateway: "10.80.0.254" };
  const rules = renderRuleset({ ...BASE, policy });
  expect(rules).toContain('oifname "eth1" drop');
  expect(rules).toContain('iifname "eth1" jump outside');
  expect(rules).toMatch(/chain leaving \{\n {4}counter drop\n {2}\}/);
  expect(renderRuleset(BASE)).not.toContain("outside");
});

test("neighbours cost one element each, however many they are", () => {
  const ports = Array.from({ length: 40 }, (_, at) => ({
    ...PORT,
    interfaceName: `box2-${at + 1}`,
    group: 3,
  }));
  const rules = renderRuleset({ ...BASE, ports });
  expect(rules.match(/1358954499 \. "box2-\d+"/g)?.length).toBe(40);
  expect(rules.match(/"box2-\d+" : 1358954499/g)?.length).toBe(40);
});

test("nobody but the box comes to a desktop's screen: neither neighbours nor the segment", () => {
  const policy = { ...BASE.policy, isNat: false, uplink: "eth1", gateway: "10.80.0.254" };
  const rules = renderRuleset({ ...BASE, policy });
  expect(rules).toMatch(/chain neighbours \{\n.*\n {4}tcp dport 5102 counter drop\n/);
  expect(rules).toMatch(/iifname "eth1" oifname "box2-\*" tcp dport 5102 counter drop\n.* meta mark set/);
});
