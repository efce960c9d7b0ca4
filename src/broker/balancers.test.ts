import { expect, test } from "bun:test";
import { parseBalancers } from "./balancers.ts";

test("nobody is a balancer unless listed", () => {
  expect(parseBalancers(" ")).toBeUndefined();
});

test("addresses and ranges of both families are balancers, and nobody else", () => {
  const balancers = parseBalancers("10.0.0.5, 192.168.7.0/24 fd00:1::/32");
  const listed = ["10.0.0.5", "192.168.7.9", "::ffff:192.168.7.9", "fd00:1:2::3"];
  for (const address of listed) expect(balancers?.has(address)).toBe(true);
  const others = ["10.0.0.6", "192.168.8.1", "fd00:2::1", "::1", "", "no address"];
  for (const address of others) expect(balancers?.has(address)).toBe(false);
});

test.each(["10.0.0.5/33", "10.0.0/8", "haproxy.example.org", "10.0.0.1/8/8", "10.0.0.1/", "::1/129"])(
  "%s is refused, naming the setting",
  (text) => {
    expect(() => parseBalancers(text)).toThrow("QVD_BROKER_BALANCERS");
  },
);
