/**
 * A small site for tests, made through the service's own verbs: a tenant, its administrator and a site's one, two
 * users with a desktop each, an OSF whose image is ready and carries the tag `default`, and a node that owns both.
 */

import { eq } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { dis } from "../../src/db/schema/index.ts";
import type { AdministratorActor, UserActor } from "../../src/domain/access/actor.ts";
import type { AdministratorId, DiId, NodeId, OsfId, TenantId, UserId, VmId } from "../../src/domain/ids.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import type { Context } from "../../src/service/context.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { registerNode } from "../../src/service/node/register.ts";
import { createOsf } from "../../src/service/osf/create.ts";
import { createTenant } from "../../src/service/tenant/create.ts";
import { createUser } from "../../src/service/user/create.ts";
import { createVm } from "../../src/service/vm/create.ts";
import { placeVm } from "../../src/service/vm/place.ts";

export type SeedOptions = {
  readonly tenant?: string;
  readonly networkRange?: string;
  readonly nodeName?: string;
  /** Quick and worthless by default. */
  readonly hashPassword?: (password: string) => Promise<string>;
};

export type Seed = {
  readonly tenantId: TenantId;
  readonly administratorId: AdministratorId;
  readonly alice: { readonly userId: UserId; readonly vmId: VmId; readonly address: string };
  readonly bob: { readonly userId: UserId; readonly vmId: VmId; readonly address: string };
  readonly osfId: OsfId;
  readonly diId: DiId;
  readonly nodeId: NodeId;
  readonly siteAdministrator: AdministratorActor;
  readonly tenantAdministrator: AdministratorActor;
  readonly aliceActor: UserActor;
  readonly bobActor: UserActor;
};

export const SEED_PASSWORD = "correct horse battery";
export const seedHash = async (password: string) => `hash of ${password.length}`;
export const SEED_RANGE = "10.99.0.0/16";

/** `owner` is a database opened as qvd_owner. */
export async function seedSite(owner: Db, options: SeedOptions = {}): Promise<Seed> {
  const tenant = options.tenant ?? "default";
  const deps = {
    hashPassword: options.hashPassword ?? seedHash,
    networkRange: options.networkRange ?? SEED_RANGE,
  };
  const context: Context = { db: owner, actor: { kind: "system", what: "seed" } };
  const { tenantId } = await createTenant(context, { name: tenant });
  const { administratorId } = await createAdministrator(context, deps, {
    tenantId,
    login: "admin",
    password: SEED_PASSWORD,
  });
  const { osfId } = await createOsf(context, { tenantId, name: "desktop" });
  const { diId } = await enrolImage(context, { osfId, fileName: "desktop.tar.zst", version: "1.0" });
  await owner.update(dis).set({ state: "ready", sizeBytes: 1000 }).where(eq(dis.id, diId));
  await moveTag(context, { diId, tag: "default" });
  const { nodeId } = await registerNode(context, { name: options.nodeName ?? `${tenant}-node` });
  const person = async (login: string) => {
    const { userId } = await createUser(context, deps, { tenantId, login, password: SEED_PASSWORD });
    const vm = await createVm(context, deps, { userId, osfId, name: `${login}-desktop` });
    await placeVm(context, { vmId: vm.vmId, nodeId });
    return { userId, ...vm };
  };
  const alice = await person("alice");
  const bob = await person("bob");
  const administrator = (login: string, id: number, name: string): AdministratorActor => ({
    kind: "administrator",
    administratorId,
    login,
    tenantId: id as TenantId,
    tenantName: name,
    acls: new Set(["*"]),
  });
  const user = (login: string, userId: UserId): UserActor => ({
    kind: "user",
    userId,
    login,
    tenantId,
    tenantName: tenant,
  });
  return {
    tenantId,
    administratorId,
    alice,
    bob,
    osfId,
    diId,
    nodeId,
    siteAdministrator: administrator("root", 0, "*"),
    tenantAdministrator: administrator("admin", tenantId, tenant),
    aliceActor: user("alice", alice.userId),
    bobActor: user("bob", bob.userId),
  };
}
