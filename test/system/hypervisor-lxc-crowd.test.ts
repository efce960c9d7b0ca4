/** Many desktops at a time: nothing of one start, stop or clean-up gets in the way of another's. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { VmId } from "../../src/domain/ids.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

const CROWD = 16;

let lab: DesktopLab;
beforeAll(async () => {
  lab = await createDesktopLab("hvm", "10.250.0.0/24");
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

test("a crowd starts at once, is heard of when it ends at once, and leaves nothing", async () => {
  const heard = new Set<VmId>();
  const specs = await Promise.all(Array.from({ length: CROWD }, () => lab.prepare("polite")));
  await Promise.all(specs.map((spec) => lab.hypervisor.start(spec, new AbortController().signal)));
  for (const spec of specs)
    expect(await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 20_000 })).toBe(true);
  expect(await listAlive()).toEqual(idsOf(specs));

  const stop = lab.hypervisor.watch((vmId) => heard.add(vmId));
  const [halted, killed] = [specs.slice(0, CROWD / 2), specs.slice(CROWD / 2)];
  await Promise.all([
    ...halted.map((spec) => lab.hypervisor.halt(spec.vmId)),
    ...killed.map((spec) => lab.hypervisor.kill(spec.vmId)),
  ]);
  expect(await waitFor(async () => (await listAlive()).length === 0, { timeoutMs: 20_000 })).toBe(true);
  expect(await waitFor(() => heard.size === CROWD, { timeoutMs: 30_000 })).toBe(true);
  stop();

  const left = await Promise.all(
    specs.map(async ({ vmId }) => {
      await lab.hypervisor.cleanUp(vmId);
      return lab.releaseAndCount(vmId);
    }),
  );
  expect(left.flat()).toEqual([]);
}, 180_000);

async function listAlive(): Promise<readonly VmId[]> {
  const seen = [...(await lab.hypervisor.observe()).values()];
  return seen
    .filter((desktop) => desktop.isAlive)
    .map((desktop) => desktop.vmId)
    .sort((a, b) => a - b);
}

function idsOf(specs: readonly DesktopSpec[]): readonly VmId[] {
  return specs.map((spec) => spec.vmId).sort((a, b) => a - b);
}
