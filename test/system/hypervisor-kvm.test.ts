import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createMachineLab, type MachineLab } from "../support/machine-lab.ts";

describeHypervisor("kvm", () => createMachineLab("hvk", "10.226.0.0/24"));

describe("a machine that doesn't listen for its power button yet", () => {
  let lab: MachineLab;
  beforeAll(async () => {
    lab = await createMachineLab("hvkb", "10.230.0.0/24");
  }, 180_000);
  afterAll(() => lab.dispose(), 180_000);

  test("goes down when it does, by one halt", async () => {
    const spec = await lab.prepare("polite");
    await lab.hypervisor.start(spec, new AbortController().signal);
    // Its firmware looks for a disk at this moment.
    await lab.hypervisor.halt(spec.vmId);
    const isDown = async () => (await lab.hypervisor.observe()).get(spec.vmId)?.isAlive !== true;
    expect(await waitFor(isDown, { timeoutMs: lab.patienceMs ?? 0 })).toBe(true);
    expect(lab.heard(spec.vmId)).toContain("up polite");
    await lab.hypervisor.cleanUp(spec.vmId);
    expect(await lab.releaseAndCount(spec.vmId)).toEqual([]);
  }, 300_000);
});
