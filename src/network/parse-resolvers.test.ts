import { expect, test } from "bun:test";
import { parseResolvers } from "./parse-resolvers.ts";

test.each([
  ["nameserver 10.0.0.2\nnameserver 1.1.1.1\n", ["10.0.0.2", "1.1.1.1"]],
  ["# nameserver 9.9.9.9\nsearch example.org\n  nameserver\t192.0.2.1 # office\n", ["192.0.2.1"]],
  ["nameserver 127.0.0.53\noptions edns0\n", []],
  ["nameserver ::1\nnameserver fe80::1%eth0\nnameserver 2001:db8::1", []],
  ["nameserver 10.0.0.2\nnameserver 10.0.0.2", ["10.0.0.2"]],
  [
    "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4",
    ["1.1.1.1", "1.1.1.2", "1.1.1.3"],
  ],
  ["nameserver 300.1.1.1\nnameserver 1.2.3.4; drop\nnameserver 1.2.3.4 } accept", ["1.2.3.4"]],
  ["", []],
])("of %j desktops can use %j", (text, expected) => {
  expect(parseResolvers(text)).toEqual(expected);
});
