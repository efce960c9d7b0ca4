import { describe, expect, test } from "bun:test";
import {
  broadcastOf,
  doRangesOverlap,
  hostAddresses,
  isInRange,
  isOnSegment,
  lastDesktop,
  macOf,
  nextFreeAddress,
  parseNetworkRange,
} from "./network-range.ts";

describe("a range of the desktop network", () => {
  test.each([
    ["10.77.0.0/16", "10.77.0.0/16", "10.77.0.1", 65_533],
    ["10.77.3.9/16", "10.77.0.0/16", "10.77.0.1", 65_533],
    [" 192.168.5.128/25 ", "192.168.5.128/25", "192.168.5.129", 125],
    ["192.168.5.8/29", "192.168.5.8/29", "192.168.5.9", 5],
    ["255.0.0.0/8", "255.0.0.0/8", "255.0.0.1", 16_777_213],
  ])("%s is %s with gateway %s and room for %d", (text, cidr, gateway, capacity) => {
    expect(parseNetworkRange(text)).toMatchObject({ cidr, gateway, capacity });
  });

  test.each([
    "",
    "10.77.0.0",
    "10.77.0.0/30",
    "10.77.0.0/7",
    "10.77.0/16",
    "10.77.0.256/16",
    "10.077.0.0/16",
    "::1/16",
    "10.77.0.0/16/2",
    "10.77.0.0/x",
    "a.b.c.d/16",
  ])("%j is refused and the setting is named", (text) => {
    expect(() => parseNetworkRange(text)).toThrow(/QVD_NETWORK_RANGE/);
  });

  test.each([
    ["10.77.1.51", 16, "10.77.255.255"],
    ["192.168.5.130", 25, "192.168.5.255"],
    ["255.1.2.3", 8, "255.255.255.255"],
  ])("everybody in that of %s/%d is called at %s", (address, prefixLength, everybody) => {
    expect(broadcastOf({ address, prefixLength })).toBe(everybody);
  });

  test("may give only a part of itself to desktops", () => {
    const range = parseNetworkRange("10.0.0.0/16 10.0.0.100-10.0.0.102");
    expect([...hostAddresses(range)]).toEqual(["10.0.0.100", "10.0.0.101", "10.0.0.102"]);
    expect(range).toMatchObject({ cidr: "10.0.0.0/16", gateway: "10.0.0.1", capacity: 3 });
    expect(lastDesktop(range)).toBe("10.0.0.102");
    expect(["10.0.0.99", "10.0.0.103", "10.0.0.1"].some((address) => isInRange(range, address))).toBe(false);
    expect(isOnSegment(range, "10.0.0.254")).toBe(true);
    expect(["10.0.0.0", "10.0.255.255", "10.1.0.1"].some((address) => isOnSegment(range, address))).toBe(
      false,
    );
  });

  test.each([
    "10.0.0.1-10.0.0.9",
    "10.0.0.9-10.0.0.8",
    "10.0.0.9",
    "10.0.0.2-10.0.0.3-10.0.0.4",
    "10.1.0.2-10.1.0.3",
  ])("refuses %s as the desktops' part", (part) => {
    expect(() => parseNetworkRange(`10.0.0.0/24 ${part}`)).toThrow(/QVD_NETWORK_RANGE/);
  });

  test("lists neither its own address nor the gateway nor broadcast", () => {
    const range = parseNetworkRange("10.1.2.248/29");
    expect([...hostAddresses(range)]).toEqual([
      "10.1.2.250",
      "10.1.2.251",
      "10.1.2.252",
      "10.1.2.253",
      "10.1.2.254",
    ]);
  });

  test("contains exactly the addresses that it lists", () => {
    const range = parseNetworkRange("172.20.255.0/28");
    const listed = new Set(hostAddresses(range));
    for (let last = 0; last < 256; last += 1) {
      const address = `172.20.255.${last}`;
      expect(isInRange(range, address)).toBe(listed.has(address));
    }
    expect(isInRange(range, "not an address")).toBe(false);
  });

  test("hands out the lowest free address, and none when it is used up", () => {
    const range = parseNetworkRange("10.0.0.0/29");
    const taken = new Set<string>();
    const given: (string | undefined)[] = [];
    for (let count = 0; count < 6; count += 1) {
      const address = nextFreeAddress(range, taken);
      given.push(address);
      if (address !== undefined) taken.add(address);
    }
    expect(given).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", undefined]);
    taken.delete("10.0.0.4");
    expect(nextFreeAddress(range, taken)).toBe("10.0.0.4");
  });

  test.each([
    ["10.0.0.0/8", "10.77.0.0/16", true],
    ["10.77.0.0/16", "10.0.0.0/8", true],
    ["10.77.0.0/16", "10.78.0.0/16", false],
    ["192.168.1.0/24", "192.168.1.128/25", true],
    ["192.168.1.0/25", "192.168.1.128/25", false],
  ])("%s and %s overlap: %p", (one, other, expected) => {
    expect(doRangesOverlap(parseNetworkRange(one), parseNetworkRange(other))).toBe(expected);
  });
});

describe("a hardware address", () => {
  test.each([
    ["10.77.1.51", "02:51:0a:4d:01:33"],
    ["255.255.255.254", "02:51:ff:ff:ff:fe"],
    ["192.168.0.2", "02:51:c0:a8:00:02"],
  ])("of %s is %s", (address, mac) => {
    expect(macOf(address)).toBe(mac);
  });

  test("differs for every address of a range", () => {
    const macs = [...hostAddresses(parseNetworkRange("10.9.0.0/20"))].map(macOf);
    expect(new Set(macs).size).toBe(macs.length);
  });

  test("of something else is refused", () => {
    expect(() => macOf("10.77.1")).toThrow(/not an IPv4 address/);
  });
});
