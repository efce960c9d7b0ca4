/** Verbs of visits to screens that are somebody else's: rows of the table of verb-cases.ts. */

import { desc, eq, sql } from "drizzle-orm";
import { osfs, sessions, visits, vmReports } from "../../src/db/schema/index.ts";
import type { VisitId } from "../../src/domain/ids.ts";
import type { Context } from "../../src/service/context.ts";
import { admitVisit } from "../../src/service/visit/admit.ts";
import { askToWatch } from "../../src/service/visit/ask-to-watch.ts";
import { beginVisit } from "../../src/service/visit/begin.ts";
import { endVisit } from "../../src/service/visit/end-visit.ts";
import { inviteVisitor } from "../../src/service/visit/invite.ts";
import { openConsole } from "../../src/service/visit/open-console.ts";
import type { Case, Scene } from "./verb-cases.ts";

const RANDOM = { randomToken: () => crypto.randomUUID() };

/** Alice's desktop is a machine that runs, and she sits at it by browser. */
async function sitDown(_: Context, s: Scene): Promise<void> {
  const { vmId, userId } = s.alice;
  await s.owner.update(osfs).set({ hypervisor: "kvm" }).where(eq(osfs.id, s.osfId));
  await s.owner
    .insert(vmReports)
    .values({ vmId, epoch: 1, state: "running" })
    .onConflictDoUpdate({ target: vmReports.vmId, set: { state: "running" } });
  await s.owner.delete(sessions);
  await s.owner.execute(sql`insert into sessions (vm_id, user_id, client, slave_key, broker_worker, access, state, connected_at)
    values (${vmId}, ${userId}, '{}', 'key', 'broker-1', 'browser', 'listening', qvd_now())`);
}

async function lastVisit(s: Scene): Promise<VisitId> {
  const [last] = await s.owner.select({ id: visits.id }).from(visits).orderBy(desc(visits.id)).limit(1);
  if (last === undefined) throw new Error("nobody asked");
  return last.id;
}

async function ask(system: Context, s: Scene): Promise<void> {
  await sitDown(system, s);
  await askToWatch(system, RANDOM, { vmId: s.alice.vmId });
}

const owners = { also: ["owner"], site: false, roles: ["qvd_broker"] } as const;

export const VISIT_CASES: Readonly<Record<string, Case>> = {
  "visit/open-console": {
    also: ["tenant"],
    prepare: sitDown,
    call: (c, s) => openConsole(c, RANDOM, { vmId: s.alice.vmId }),
  },
  "visit/ask-to-watch": {
    also: ["tenant"],
    prepare: sitDown,
    call: (c, s) => askToWatch(c, RANDOM, { vmId: s.alice.vmId, mayControl: true }),
  },
  "visit/invite": {
    ...owners,
    // The admin process asks in the same table.
    roles: ["qvd_admin", "qvd_broker"],
    prepare: sitDown,
    call: (c, s) => inviteVisitor(c, RANDOM, { vmId: s.alice.vmId }),
  },
  "visit/admit": {
    ...owners,
    prepare: ask,
    call: async (c, s) => admitVisit(c, { visitId: await lastVisit(s) }),
  },
  "visit/end-visit": {
    ...owners,
    prepare: ask,
    call: async (c, s) => endVisit(c, { visitId: await lastVisit(s), cause: "refused" }),
  },
  // Whoever brings the ticket, but by the broker alone.
  "visit/begin": {
    also: [],
    site: false,
    roles: ["qvd_broker"],
    call: (c) => beginVisit(c, { ticket: "nobody's" }),
  },
};
