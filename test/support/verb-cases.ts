/** Every verb with who may call it and from which processes: rows for test/integration/service-refusals.test.ts. */

import { expect } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { dis, vms } from "../../src/db/schema/index.ts";
import type { ProcessRole } from "../../src/db/url.ts";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { blockAdministrator } from "../../src/service/administrator/block.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import { deleteAdministrator } from "../../src/service/administrator/delete.ts";
import { resetAdministratorSecondFactor } from "../../src/service/administrator/reset-second-factor.ts";
import { setAdministratorPassword } from "../../src/service/administrator/set-password.ts";
import { unblockAdministrator } from "../../src/service/administrator/unblock.ts";
import type { Context } from "../../src/service/context.ts";
import { blockImage } from "../../src/service/image/block.ts";
import { deleteImage } from "../../src/service/image/delete.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { publishImage } from "../../src/service/image/publish.ts";
import { removeTag } from "../../src/service/image/remove-tag.ts";
import { retireImage } from "../../src/service/image/retire.ts";
import { unblockImage } from "../../src/service/image/unblock.ts";
import { blockNode } from "../../src/service/node/block.ts";
import { changeNode } from "../../src/service/node/change.ts";
import { drainNode } from "../../src/service/node/drain.ts";
import { endStranger } from "../../src/service/node/end-stranger.ts";
import { handOutBundle } from "../../src/service/node/hand-out-bundle.ts";
import { inviteNode } from "../../src/service/node/invite.ts";
import { noteStrangerEnded } from "../../src/service/node/note-stranger-ended.ts";
import { registerNode } from "../../src/service/node/register.ts";
import { removeNode } from "../../src/service/node/remove.ts";
import { setShared } from "../../src/service/node/set-shared.ts";
import { unblockNode } from "../../src/service/node/unblock.ts";
import { undrainNode } from "../../src/service/node/undrain.ts";
import { changeOsf } from "../../src/service/osf/change.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { deleteOsf } from "../../src/service/osf/delete.ts";
import { setProperty } from "../../src/service/property/set.ts";
import { unsetProperty } from "../../src/service/property/unset.ts";
import { endLostSessions } from "../../src/service/session/end-lost.ts";
import { requestSession } from "../../src/service/session/request.ts";
import { wishSessionEnd } from "../../src/service/session/wish-end.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { blockUser } from "../../src/service/user/block.ts";
import { changeUser } from "../../src/service/user/change.ts";
import { createUser } from "../../src/service/user/create.ts";
import { deleteUser } from "../../src/service/user/delete.ts";
import { resetUserSecondFactor } from "../../src/service/user/reset-second-factor.ts";
import { setUserPassword } from "../../src/service/user/set-password.ts";
import { unblockUser } from "../../src/service/user/unblock.ts";
import { blockVm } from "../../src/service/vm/block.ts";
import { changeVm } from "../../src/service/vm/change.ts";
import { clearVmExpiry } from "../../src/service/vm/clear-expiry.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { deleteVm } from "../../src/service/vm/delete.ts";
import { placeVm } from "../../src/service/vm/place.ts";
import { placeVms } from "../../src/service/vm/place-many.ts";
import { purgeVm } from "../../src/service/vm/purge.ts";
import { releaseVm } from "../../src/service/vm/release.ts";
import { takeOverDesktops } from "../../src/service/vm/take-over.ts";
import { unblockVm } from "../../src/service/vm/unblock.ts";
import { wishVms } from "../../src/service/vm/wish-many.ts";
import { wishVmRunning } from "../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import { wishVmStoppedByPolicy } from "../../src/service/vm/wish-stopped-by-policy.ts";
import { SEED_PASSWORD, SEED_RANGE, type Seed, seedHash } from "./db-seed.ts";
import { FRONT_DOOR_CASES } from "./front-door-verb-cases.ts";
import { PROOF_CASES } from "./proof-verb-cases.ts";
import { VISIT_CASES } from "./visit-verb-cases.ts";

const DEPS = { hashPassword: seedHash, networkRange: SEED_RANGE, randomToken: () => crypto.randomUUID() };
const CLIENT = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };
const password = SEED_PASSWORD;

/** Whose things the verbs are called on, and the schema's owner to bring something about. */
export type Scene = Seed & { readonly owner: Db };

export type Case = {
  /** Brings about what the verb would change, as one who may. */
  readonly prepare?: (system: Context, scene: Scene) => Promise<unknown>;
  readonly call: (context: Context, scene: Scene, name: string) => Promise<unknown>;
  /** Who may, besides the system and the site's administrators. */
  readonly also: readonly ActorName[];
  /** False where even the site's administrators may not. */
  readonly site?: false;
  /** Database roles whose processes call it; the admin's alone when not said. */
  readonly roles?: readonly ProcessRole[];
};

export type ActorName =
  | "site"
  | "tenant"
  | "foreign"
  | "powerless"
  | "owner"
  | "stranger"
  | "vm"
  | "other vm"
  | "node";

/** Named like the files of src/service, so that a forgotten one is found. */
export const VERB_CASES: Readonly<Record<string, Case>> = {
  "tenant/create": { also: [], call: (c, _, name) => createTenant(c, { name }) },
  "user/create": {
    also: ["tenant"],
    call: (c, s, name) => createUser(c, DEPS, { tenantId: s.tenantId, login: name, password }),
  },
  "user/change": {
    also: ["tenant"],
    // Auth takes names from directories.
    roles: ["qvd_admin", "qvd_auth"],
    call: (c, s) => changeUser(c, { userId: s.alice.userId, fullName: "Alice" }),
  },
  "user/set-password": {
    also: ["tenant"],
    call: (c, s) => setUserPassword(c, DEPS, { userId: s.alice.userId, password }),
  },
  "user/block": { also: ["tenant"], call: (c, s) => blockUser(c, { userId: s.bob.userId }) },
  "user/unblock": { also: ["tenant"], call: (c, s) => unblockUser(c, { userId: s.bob.userId }) },
  "user/delete": {
    also: ["tenant"],
    call: async (c, s, name) => {
      const { userId } = await createUser(asSystem(s), DEPS, { tenantId: s.tenantId, login: name, password });
      await deleteUser(c, { userId });
    },
  },
  "administrator/create": {
    also: ["tenant"],
    call: (c, s, name) => createAdministrator(c, DEPS, { tenantId: s.tenantId, login: name, password }),
  },
  "administrator/set-password": {
    also: ["tenant"],
    call: (c, s) => setAdministratorPassword(c, DEPS, { administratorId: s.administratorId, password }),
  },
  "administrator/block": {
    also: ["tenant"],
    call: async (c, s, name) => blockAdministrator(c, { administratorId: await makeAdministrator(s, name) }),
  },
  "administrator/unblock": {
    also: ["tenant"],
    call: async (c, s, name) =>
      unblockAdministrator(c, { administratorId: await makeAdministrator(s, name) }),
  },
  "administrator/delete": {
    also: ["tenant"],
    call: async (c, s, name) => deleteAdministrator(c, { administratorId: await makeAdministrator(s, name) }),
  },
  "sign-in/begin": {
    also: [],
    site: false,
    call: (c, s) => beginSignIn(c, DEPS, { administratorId: s.administratorId }),
  },
  "user/reset-second-factor": {
    also: ["tenant"],
    // Auth removes second factors and makes users, so its process could.
    roles: ["qvd_admin", "qvd_auth"],
    call: (c, s) => resetUserSecondFactor(c, { userId: s.alice.userId }),
  },
  "administrator/reset-second-factor": {
    also: ["tenant"],
    call: (c, s) => resetAdministratorSecondFactor(c, { administratorId: s.administratorId }),
  },
  ...PROOF_CASES,
  ...FRONT_DOOR_CASES,
  ...VISIT_CASES,
  "osf/create": { also: ["tenant"], call: (c, s, name) => createOsf(c, { tenantId: s.tenantId, name }) },
  "osf/delete": {
    also: ["tenant"],
    call: async (c, s, name) => {
      const { osfId } = await createOsf(asSystem(s), { tenantId: s.tenantId, name });
      await deleteOsf(c, { osfId });
    },
  },
  "osf/change": { also: ["tenant"], call: (c, s) => changeOsf(c, { osfId: s.osfId, memoryMb: 2048 }) },
  "image/enrol": {
    also: ["tenant"],
    call: (c, s, name) =>
      enrolImage(c, { osfId: s.osfId, fileName: `tenant-${s.tenantId}.a.tar`, version: name }),
  },
  "image/block": { also: ["tenant"], call: (c, s) => blockImage(c, { diId: s.diId }) },
  "image/unblock": { also: ["tenant"], call: (c, s) => unblockImage(c, { diId: s.diId }) },
  "image/move-tag": { also: ["tenant"], call: (c, s, name) => moveTag(c, { diId: s.diId, tag: name }) },
  "image/remove-tag": {
    also: ["tenant"],
    call: async (c, s, name) => {
      await moveTag(asSystem(s), { diId: s.diId, tag: name });
      await removeTag(c, { diId: s.diId, tag: name });
    },
  },
  "image/publish": { also: ["tenant"], call: (c, s) => publishImage(c, { diId: s.diId }) },
  "image/retire": {
    also: ["tenant"],
    call: async (c, s, name) => {
      const { diId } = await enrolImage(asSystem(s), { osfId: s.osfId, fileName: "a.tar", version: name });
      await s.owner.update(dis).set({ state: "ready", publishedAt: sql`now()` }).where(eq(dis.id, diId));
      await retireImage(c, { diId });
    },
  },
  "image/delete": {
    also: ["tenant"],
    call: async (c, s, name) => {
      const { diId } = await enrolImage(asSystem(s), { osfId: s.osfId, fileName: "a.tar", version: name });
      await deleteImage(c, { diId });
    },
  },
  "vm/create": {
    also: ["tenant"],
    // Auth makes desktops of those whom a directory proves.
    roles: ["qvd_admin", "qvd_auth"],
    call: (c, s, name) => createVm(c, DEPS, { userId: s.alice.userId, osfId: s.osfId, name }),
  },
  "vm/change": { also: ["tenant"], call: (c, s) => changeVm(c, { vmId: s.alice.vmId, diTag: "default" }) },
  "vm/block": {
    also: ["tenant", "node"],
    roles: ["qvd_admin", "qvd_node"],
    call: (c, s) => blockVm(c, { vmId: s.bob.vmId }),
  },
  // A node may not; its process could, since it blocks.
  "vm/unblock": {
    also: ["tenant"],
    roles: ["qvd_admin", "qvd_node"],
    call: (c, s) => unblockVm(c, { vmId: s.alice.vmId }),
  },
  "vm/delete": {
    also: ["tenant"],
    call: async (c, s, name) => deleteVm(c, { vmId: await makeVm(s, name) }),
  },
  "vm/wish-many": {
    also: ["tenant", "owner"],
    roles: ["qvd_admin", "qvd_broker", "qvd_node"],
    prepare: (c, s) => wishVmStopped(c, { vmId: s.alice.vmId }),
    call: (c, s) => wishVms(c, { vmIds: [s.alice.vmId], wish: "running" }),
  },
  "vm/wish-running": {
    also: ["tenant", "owner"],
    roles: ["qvd_admin", "qvd_broker", "qvd_node"],
    prepare: (c, s) => wishVmStopped(c, { vmId: s.alice.vmId }),
    call: (c, s) => wishVmRunning(c, { vmId: s.alice.vmId }),
  },
  "vm/wish-stopped": {
    also: ["tenant", "owner", "vm"],
    roles: ["qvd_admin", "qvd_broker", "qvd_node"],
    prepare: (c, s) => wishVmRunning(c, { vmId: s.alice.vmId }),
    call: (c, s) => wishVmStopped(c, { vmId: s.alice.vmId }),
  },
  "vm/wish-stopped-by-policy": {
    also: ["node"],
    site: false,
    roles: ["qvd_admin", "qvd_broker", "qvd_node"],
    call: (c, s) => {
      const policy = { generation: Number.MAX_SAFE_INTEGER, cause: "crashed", text: "It ended." } as const;
      return wishVmStoppedByPolicy(c, { vmId: s.alice.vmId, ...policy });
    },
  },
  "vm/clear-expiry": {
    also: ["node"],
    site: false,
    roles: ["qvd_admin", "qvd_node"],
    prepare: (c, s) => c.db.update(vms).set({ expiresSoftAt: sql`now()` }).where(eq(vms.id, s.alice.vmId)),
    call: (c, s) => clearVmExpiry(c, { vmId: s.alice.vmId }),
  },
  "vm/place": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: async (c, s, name) => placeVm(c, { vmId: await makeVm(s, name), nodeId: s.nodeId }),
  },
  "vm/place-many": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: async (c, s, name) => placeVms(c, [{ vmId: await makeVm(s, name), nodeId: s.nodeId }]),
  },
  "vm/release": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: async (c, s, name) => {
      const vmId = await makeVm(s, name);
      await placeVm(asSystem(s), { vmId, nodeId: s.nodeId });
      await releaseVm(c, { vmId, nodeId: s.nodeId, text: "It is free." });
    },
  },
  "vm/take-over": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: async (c, s, name) => {
      const { nodeId } = await registerNode(asSystem(s), { name });
      await takeOverDesktops(c, { nodeId, nodeName: name, reason: "Its lease has lapsed." });
    },
  },
  "vm/purge": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: async (c, s, name) => {
      const vmId = await makeVm(s, name);
      await deleteVm(asSystem(s), { vmId });
      await purgeVm(c, { vmId });
      expect(await c.db.$count(vms, eq(vms.id, vmId))).toBe(0);
    },
  },
  "session/request": {
    also: ["owner"],
    site: false,
    roles: ["qvd_broker"],
    call: (c, s) =>
      requestSession(c, { vmId: s.alice.vmId, client: CLIENT, slaveKey: "k", brokerWorker: "w" }),
  },
  "session/end-lost": {
    also: ["node"],
    site: false,
    roles: ["qvd_broker", "qvd_node"],
    call: (c, s) => endLostSessions(c, s.nodeId),
  },
  "session/wish-end": {
    also: ["tenant", "owner"],
    roles: ["qvd_admin", "qvd_broker"],
    call: (c, s) => wishSessionEnd(c, { vmId: s.alice.vmId }),
  },
  "node/register": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: (c, _, name) => registerNode(c, { name }),
  },
  "property/set": {
    also: ["tenant"],
    call: (c, s) => setProperty(c, { kind: "user", id: s.alice.userId, key: "printer", value: "lp0" }),
  },
  "property/unset": {
    also: ["tenant"],
    prepare: (c, s) => setProperty(c, { kind: "vm", id: s.alice.vmId, key: "printer", value: "lp0" }),
    call: (c, s) => unsetProperty(c, { kind: "vm", id: s.alice.vmId, key: "printer" }),
  },
  "node/set-shared": {
    also: ["node"],
    site: false,
    roles: ["qvd_node"],
    call: (c, s) => setShared(c, { nodeId: s.nodeId, sharedId: "one" }),
  },
  "node/block": { also: [], call: (c, s) => blockNode(c, { nodeId: s.nodeId }) },
  "node/unblock": { also: [], call: (c, s) => unblockNode(c, { nodeId: s.nodeId }) },
  "node/invite": {
    also: [],
    site: false,
    roles: [],
    call: (c) =>
      inviteNode(c, { id: crypto.randomUUID(), sealed: new Uint8Array(9), nodeName: "b", validSeconds: 60 }),
  },
  "node/hand-out-bundle": {
    also: [],
    site: false,
    call: async (c, s) => {
      const id = crypto.randomUUID();
      await inviteNode(asSystem(s), { id, sealed: new Uint8Array(9), nodeName: "b", validSeconds: 60 });
      await handOutBundle(c, { id });
    },
  },
  "node/drain": { also: [], call: (c, s) => drainNode(c, { nodeId: s.nodeId }) },
  "node/undrain": { also: [], call: (c, s) => undrainNode(c, { nodeId: s.nodeId }) },
  "node/change": { also: [], call: (c, s) => changeNode(c, { nodeId: s.nodeId, weight: 2 }) },
  "node/end-stranger": {
    also: [],
    // The box takes what it has ended out of the same column.
    roles: ["qvd_admin", "qvd_node"],
    call: async (c, s) => {
      await s.owner.execute(sql`insert into node_reports (node_id, state, started_at, facts) values (${s.nodeId},
        'running', qvd_now(), '{"strangers": [4711]}') on conflict (node_id) do update set facts = excluded.facts`);
      await endStranger(c, { nodeId: s.nodeId, vmId: asId<VmId>(4711) });
    },
  },
  "node/note-stranger-ended": {
    also: ["node"],
    site: false,
    roles: ["qvd_admin", "qvd_node"],
    call: (c, s) => noteStrangerEnded(c, { nodeId: s.nodeId, vmId: asId<VmId>(4711), text: "It ended." }),
  },
  "node/remove": {
    also: [],
    call: async (c, s, name) => {
      const { nodeId } = await registerNode(asSystem(s), { name });
      await removeNode(c, { nodeId });
    },
  },
};

/** As one who may. */
const asSystem = ({ owner }: Scene): Context => ({ db: owner, actor: { kind: "system", what: "test" } });
const makeVm = async (s: Scene, name: string) =>
  (await createVm(asSystem(s), DEPS, { userId: s.alice.userId, osfId: s.osfId, name })).vmId;

/** Somebody else than whoever asks: nobody blocks or deletes themselves. */
async function makeAdministrator(s: Scene, login: string) {
  const made = await createAdministrator(asSystem(s), DEPS, { tenantId: s.tenantId, login, password });
  return made.administratorId;
}
