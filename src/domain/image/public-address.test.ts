import { expect, test } from "bun:test";
import { isPublicAddress } from "./public-address.ts";

test.each([
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.1",
  "192.167.1.1",
  "192.169.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450:4001::1",
  "2001:4860:4860::8888",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ["this host", "0.0.0.0"],
  ["private", "10.0.0.1"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.1.1"],
  ["a provider's inside", "100.64.0.1"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.0.9"],
  ["where clouds tell secrets", "169.254.169.254"],
  ["multicast", "224.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["this host", "::"],
  ["loopback", "::1"],
  ["IPv4 loopback inside", "::ffff:127.0.0.1"],
  ["public IPv4 inside, which has a form of its own", "::ffff:1.1.1.1"],
  ["translated IPv4", "64:ff9b::a00:1"],
  ["6to4 of a private address", "2002:a00:1::"],
  ["Teredo", "2001:0:53aa::1"],
  ["documentation", "2001:db8::1"],
  ["link-local", "fe80::1"],
  ["link-local with a zone", "fe80::1%eth0"],
  ["unique local", "fd00:ec2::254"],
  ["multicast", "ff02::1"],
  ["a name", "localhost"],
  ["nothing", ""],
  ["an odd form of loopback", "0x7f.1"],
])("%s is not public: %s", (_what, address) => {
  expect(isPublicAddress(address)).toBe(false);
});
