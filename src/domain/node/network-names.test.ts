import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../ids.ts";
import { interfaceName, networkNames, vmOfInterface } from "./network-names.ts";

describe("names of the desktop network", () => {
  test("carry the instance and fit the kernel's bound", () => {
    expect(networkNames("qvdtest8")).toEqual({
      bridge: "qvdtest8br0",
      portPattern: "qvdtest8-*",
      table: "qvdtest8",
    });
    expect(interfaceName("qvdtest8", asId<VmId>(999_999))).toHaveLength(15);
  });

  test.each(["", "Qvd", "9lives", "too-long", "waytoolong"])("refuse the instance %j", (instance) => {
    expect(() => networkNames(instance)).toThrow(/broken invariant/);
  });

  test("refuse an interface name that the kernel would", () => {
    expect(() => interfaceName("qvdtest8", asId<VmId>(1_000_000))).toThrow(/broken invariant/);
  });

  test.each([
    ["qvd-41", 41],
    ["qvd-041", undefined],
    ["qvdbr0", undefined],
    ["qvd-", undefined],
    ["qvd2-41", undefined],
    ["eth0", undefined],
  ])("tell whose interface %s is: %p", (name, vmId) => {
    expect(vmOfInterface("qvd", name)).toBe(vmId === undefined ? undefined : asId<VmId>(vmId));
  });
});
