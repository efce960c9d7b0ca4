/** Makes desktops that beat in a site of the tests, by the verbs that an administrator's commands call. */

import { copyFile, mkdir } from "node:fs/promises";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/client.ts";
import { notify } from "../../src/db/notify.ts";
import type { DiId, VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createUser } from "../../src/service/user/create.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { formatWake, type WakeTopic } from "../../src/wire/wake/messages.ts";

export type LabDesktops = {
  readonly count: number;
  readonly homeMb: number;
  /** Of the image; taken in by a node that runs. */
  readonly archive: string;
  readonly sharedFolder: string;
  readonly networkRange: string;
  readonly readyMs: number;
  /** Machines are of a tenant of their own, and called m1 and so on; containers p1. */
  readonly kind?: "container" | "machine";
  /** What the archive is called in the site; its ending says what it is. */
  readonly fileName?: string;
  /** Of each; enough for one that only beats where none is said. */
  readonly memoryMb?: number;
  /** Of every user, with its hash; nobody can sign in where there is none. */
  readonly hashPassword?: (password: string) => Promise<string>;
};

/** Of every user. */
export const LAB_PASSWORD = "password";

/** They are wished running when it returns. */
export async function addLabDesktops(database: Database, options: LabDesktops): Promise<readonly VmId[]> {
  const { count, homeMb, archive, sharedFolder, networkRange, readyMs } = options;
  const { memoryMb = 192, fileName = "beating.tar", hashPassword = async () => "none" } = options;
  const isMachine = options.kind === "machine";
  const context = { db: database.orm, actor: { kind: "system", what: "lab" } } as const;
  const deps = { hashPassword, networkRange };
  const { tenantId } = await createTenant(context, { name: isMachine ? "machines" : "lab" });
  const hypervisor = isMachine ? "kvm" : "lxc";
  const size = { memoryMb, cpus: 1, homeMb };
  const { osfId } = await createOsf(context, { tenantId, name: "beating", hypervisor, ...size });
  const incoming = `${sharedFolder}/images/incoming`;
  await mkdir(incoming, { recursive: true });
  await copyFile(archive, `${incoming}/${fileName}`);
  const { diId } = await enrolImage(context, { osfId, fileName, version: "1" });
  await wakeLab(database, "image");
  await awaitImage(database, diId, readyMs);
  await moveTag(context, { diId, tag: "default" });
  const desktops: VmId[] = [];
  for (let number = 1; number <= count; number++) {
    const login = `${isMachine ? "m" : "p"}${number}`;
    const { userId } = await createUser(context, deps, { tenantId, login, password: LAB_PASSWORD });
    desktops.push((await createVm(context, deps, { userId, osfId, name: login })).vmId);
  }
  for (const vmId of desktops) await wishVmRunning(context, { vmId });
  await wakeLab(database, "vm");
  return desktops;
}

/** As another process of the site that has changed something. */
export async function wakeLab(database: Database, topic: WakeTopic): Promise<void> {
  await notify(database.orm, `lab\n${formatWake({ topic })}`);
}

async function awaitImage(database: Database, diId: DiId, timeoutMs: number): Promise<void> {
  const isReady = async () => {
    const [row] = await database.orm.execute<{ state: string; fault: string | null }>(
      sql`select state, fault from dis where id = ${diId}`,
    );
    if (row?.state === "failed") throw new Error(`the image was refused: ${row.fault}`);
    return row?.state === "ready";
  };
  if (!(await waitFor(isReady, { timeoutMs, everyMs: 100 }))) throw new Error("the image was not taken in");
}
