/** Two boxes on one port, and the end of a box: nothing of it is left on the machine but its data. */

import { expect, test } from "bun:test";
import { waitFor } from "../../../src/lib/wait.ts";
import type { FaultLab } from "../../support/fault-lab.ts";
import { askOnce } from "../../support/nx-visit.ts";
import { WholeBox } from "../../support/whole-box.ts";

export function testEnd(lab: () => FaultLab): void {
  test("of a second box on the same port comes at its start, with the reason; the first one never notices", async () => {
    const { box } = lab();
    const second = await WholeBox.create({
      instance: "faults2",
      cidr: "10.210.0.0/16",
      ports: { broker: box.brokerPort, admin: 27_304 },
      startTimeoutSeconds: 6,
      diskMb: 500,
    });
    try {
      await expect(second.start()).rejects.toThrow(
        new RegExp(
          `starting the brokers: port ${box.brokerPort} of 127.0.0.1 is taken.*QVD_BROKER_PORT`,
          "s",
        ),
      );
      await expectNothingLeft(second);
      expect((await askOnce(box.brokerPort, lab().alice)).status).toBe(101);
    } finally {
      await second.dispose();
    }
  }, 150_000);

  test("by Ctrl-C with a session open stops it all, leaves nothing on the machine, and all is there at the next start", async () => {
    const { box, alice } = lab();
    const visit = await lab().visit(alice);
    const startMs = performance.now();
    expect(await box.interrupt()).toBe(0);
    lab().note("Ctrl-C: the box has ended", startMs);
    expect(await waitFor(() => visit.isOver, { timeoutMs: 60_000 })).toBe(true);
    await visit.leave();
    await expectNothingLeft(box);
    await box.start();
    expect(await lab().openSessions()).toEqual([]);
    const next = await lab().visit(alice);
    await lab().proveWork(next, alice);
    await next.leave();
  }, 240_000);
}

/** The last to leave may be on its way out. */
async function expectNothingLeft(box: WholeBox): Promise<void> {
  await waitFor(async () => (await box.countLeftovers()).length === 0, { timeoutMs: 60_000, everyMs: 100 });
  expect(await box.countLeftovers()).toEqual([]);
}
