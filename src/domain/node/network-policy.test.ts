import { describe, expect, test } from "bun:test";
import { type PolicyTexts, parseNetworkPolicy, plainPolicy } from "./network-policy.ts";
import { parseNetworkRange } from "./network-range.ts";

const RANGE = parseNetworkRange("10.0.0.0/16 10.0.0.100-10.0.255.254");
const PLAIN: PolicyTexts = { isNat: true, uplink: "", gateway: "", allow: "", nameServers: "", domain: "" };
const parse = (texts: Partial<PolicyTexts>) => parseNetworkPolicy({ ...PLAIN, ...texts }, RANGE);

test("a site that sets nothing has NAT with the box as gateway, and nothing private", () => {
  expect(plainPolicy(RANGE)).toEqual({
    isNat: true,
    uplink: undefined,
    gateway: "10.0.0.1",
    allowed: [],
    nameServers: [],
    domain: "",
  });
});

test("desktops on a segment of the site's have its router, and no NAT", () => {
  expect(parse({ uplink: "eth1", gateway: "10.0.0.99" })).toMatchObject({
    isNat: false,
    uplink: "eth1",
    gateway: "10.0.0.99",
  });
});

test.each([
  ["192.168.1.0/24", [{ to: "192.168.1.0/24", port: undefined }]],
  ["192.168.1.5:445", [{ to: "192.168.1.5", port: { protocol: "tcp", number: 445 } }]],
  [
    "192.168.1.9:161/udp, 10.0.0.2:53/tcp\n172.16.0.1",
    [
      { to: "192.168.1.9", port: { protocol: "udp", number: 161 } },
      { to: "10.0.0.2", port: { protocol: "tcp", number: 53 } },
      { to: "172.16.0.1", port: undefined },
    ],
  ],
  ["", []],
] as const)("%j allows what it says", (allow, expected) => {
  expect(parse({ allow }).allowed).toEqual([...expected]);
});

describe("a fault names its setting", () => {
  test.each([
    ["QVD_NETWORK_ALLOW", { allow: "files.example.org" }],
    ["QVD_NETWORK_ALLOW", { allow: "192.168.1.0/33" }],
    ["QVD_NETWORK_ALLOW", { allow: "192.168.1.300" }],
    ["QVD_NETWORK_ALLOW", { allow: "192.168.1.1:0" }],
    ["QVD_NETWORK_ALLOW", { allow: "192.168.1.1:65536" }],
    ["QVD_NETWORK_ALLOW", { allow: "192.168.1.1; accept" }],
    ["QVD_NETWORK_DNS", { nameServers: "10.0.0.2 dns" }],
    ["QVD_NETWORK_DOMAIN", { domain: "office example" }],
    ["QVD_NETWORK_DOMAIN", { domain: "-x" }],
    ["QVD_NETWORK_INTERFACE", { uplink: 'eth1" accept' }],
    ["QVD_NETWORK_GATEWAY", { gateway: "10.0.0.2" }],
    ["QVD_NETWORK_GATEWAY", { uplink: "eth1", gateway: "10.0.0.100" }],
    ["QVD_NETWORK_GATEWAY", { uplink: "eth1", gateway: "10.1.0.1" }],
    ["QVD_NETWORK_GATEWAY", { uplink: "eth1", gateway: "10.0.255.255" }],
  ])("%s: %p", (setting, texts) => {
    expect(() => parse(texts)).toThrow(new RegExp(`^${setting}`));
  });
});
