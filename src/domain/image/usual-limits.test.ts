import { expect, test } from "bun:test";
import { proposedLimits, usualLimits, withoutProposals } from "./usual-limits.ts";

test("a container's home and system have an end, a machine's home alone", () => {
  expect(usualLimits("lxc")).toEqual({ homeMb: 10_240, systemMb: 10_240 });
  expect(usualLimits("kvm")).toEqual({ homeMb: 10_240 });
});

test("what a form proposed and nobody changed is no wish where it can't be had", () => {
  const machine = { name: "office", hypervisor: "kvm", ...proposedLimits() };
  expect(withoutProposals(machine)).toEqual({ name: "office", hypervisor: "kvm", homeMb: "10240" });
  expect(withoutProposals({ ...machine, systemMb: "512" })).toEqual({ ...machine, systemMb: "512" });
  expect(withoutProposals({ ...machine, hypervisor: "lxc" })).toEqual({ ...machine, hypervisor: "lxc" });
});
