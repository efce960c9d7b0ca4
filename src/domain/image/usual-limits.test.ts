import { expect, test } from "bun:test";
import { usualLimits } from "./usual-limits.ts";

test("a container's home and system have an end, a machine's home alone", () => {
  expect(usualLimits("lxc")).toEqual({ homeMb: 10_240, systemMb: 10_240 });
  expect(usualLimits("kvm")).toEqual({ homeMb: 10_240 });
});
