import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { refuseSlots } from "./refuse-slots.ts";

test("a cluster with a replication slot is refused by the slot's name with what to do, others aren't", async () => {
  const cluster = mkdtempSync(`${tmpdir()}/qvd-slots-`);
  try {
    await refuseSlots(`${cluster}/not-made-yet`);
    mkdirSync(`${cluster}/pg_replslot`);
    await refuseSlots(cluster);
    mkdirSync(`${cluster}/pg_replslot/standby1`);
    await expect(refuseSlots(cluster)).rejects.toThrow(
      /\(standby1\).*pg_drop_replication_slot\('standby1'\)/,
    );
  } finally {
    rmSync(cluster, { recursive: true });
  }
});
