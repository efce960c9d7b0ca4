import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { asId, type VmId } from "../../domain/ids.ts";
import { layoutOf, vmLayout } from "../../domain/node/layout.ts";
import { findScreen } from "./console.ts";

const folder = mkdtempSync("/tmp/qvd-console-");
const layout = layoutOf(`${folder}/state`, `${folder}/run`);
const vm = { id: asId<VmId>(7), name: "win-7" };
afterAll(() => rmSync(folder, { recursive: true }));

test("a machine that runs here has its screen in its own folder", () => {
  const { machineFolder } = vmLayout(layout, vm.id);
  mkdirSync(machineFolder, { recursive: true });
  writeFileSync(`${machineFolder}/vnc`, "");
  expect(findScreen(layout, vm)).toBe(`${folder}/state/vms/7/machine/vnc`);
});

test("whatever has no screen here is refused with what it may be", () => {
  const other = { id: asId<VmId>(8), name: "box-8" };
  expect(() => findScreen(layout, other)).toThrow(/box-8 has no screen on this box: it is stopped/);
});
