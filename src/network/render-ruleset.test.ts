import { expect, test } from "bun:test";
import { networkNames } from "../domain/node/network-names.ts";
import { parseNetworkRange } from "../domain/node/network-range.ts";
import { renderRuleset } from "./render-ruleset.ts";

const BASE = {
  names: networkNames("box2"),
  range: parseNetworkRange("10.80.0.0/16"),
  ports: [],
  resolvers: [],
};
const PORT = { interfaceName: "box2-7", mac: "02:51:0a:50:00:09", address: "10.80.0.9" };

test("every name in the rules is the instance's", () => {
  const rules = renderRuleset({ ...BASE, ports: [PORT] });
  expect(rules).not.toContain("qvd");
  expect(rules.match(/table \w+ box2/g)?.length).toBe(6);
  expect(rules).toContain('iifname "box2-*" jump guard');
});

test("a port is in both sets, and an empty list of elements isn't written", () => {
  const rules = renderRuleset({ ...BASE, ports: [PORT] });
  expect(rules).toContain('elements = { "box2-7" . 02:51:0a:50:00:09 }');
  expect(rules).toContain('elements = { "box2-7" . 02:51:0a:50:00:09 . 10.80.0.9 }');
  expect(renderRuleset(BASE)).not.toContain("elements");
});

test("name servers are let through before private ranges are shut", () => {
  const rules = renderRuleset({ ...BASE, resolvers: ["10.0.0.2", "192.168.1.1"] });
  const accepted = rules.indexOf("ip daddr { 10.0.0.2, 192.168.1.1 } udp dport 53 accept");
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(rules.indexOf("reject with icmp"));
  expect(renderRuleset(BASE)).not.toContain("dport 53");
});
