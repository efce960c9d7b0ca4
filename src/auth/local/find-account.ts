/** Reads accounts with their hashes; only the role `qvd_auth` may. */

import { and, eq, inArray } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { listProperties } from "../../db/queries/properties.ts";
import { findTenantByName } from "../../db/queries/tenants.ts";
import {
  administratorCredentials,
  administrators,
  settings,
  tenants,
  userCredentials,
  users,
} from "../../db/schema/index.ts";
import { SITE } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import type { AccountStore, StoredAccount } from "../account-store.ts";
import type { LoginName } from "../login.ts";

/** `upgradeHash` is the service's verb: what people's credentials are is written there alone. */
export function createAccountStore(db: Db, { upgradeHash }: Pick<AccountStore, "upgradeHash">): AccountStore {
  return {
    upgradeHash,
    findAccount: (kind, name) => attempt(kind === "user" ? findUser(db, name) : findAdministrator(db, name)),
    findTenant: async (name) => {
      const found = await attempt(findTenantByName(db, name));
      return found === undefined ? undefined : { tenantId: found.id, isBlocked: found.isBlocked };
    },
    readSettings: (tenantId) =>
      attempt(
        db
          .select({ tenantId: settings.tenantId, name: settings.name, value: settings.value })
          .from(settings)
          .where(inArray(settings.tenantId, tenantId === undefined ? [SITE] : [SITE, tenantId])),
      ),
    readProperties: (userId) => attempt(listProperties(db, "user", userId)),
  };
}

async function attempt<T>(reading: PromiseLike<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    throw new AppError("database-away", "Accounts can't be read: the database does not answer.", { cause });
  }
}

async function findUser(db: Db, { login, tenant }: LoginName): Promise<StoredAccount | undefined> {
  const [row] = await db
    .select({ user: users, tenant: tenants, passwordHash: userCredentials.passwordHash })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .leftJoin(userCredentials, eq(userCredentials.userId, users.id))
    .where(and(eq(users.login, login), eq(tenants.name, tenant)));
  if (row === undefined) return undefined;
  return {
    account: {
      id: { userId: row.user.id },
      login: row.user.login,
      tenantId: row.tenant.id,
      tenantName: row.tenant.name,
    },
    isBlocked: row.user.isBlocked || row.tenant.isBlocked,
    passwordHash: row.passwordHash ?? undefined,
  };
}

async function findAdministrator(db: Db, { login, tenant }: LoginName): Promise<StoredAccount | undefined> {
  const [row] = await db
    .select({
      administrator: administrators,
      tenant: tenants,
      passwordHash: administratorCredentials.passwordHash,
    })
    .from(administrators)
    .innerJoin(tenants, eq(tenants.id, administrators.tenantId))
    .leftJoin(administratorCredentials, eq(administratorCredentials.administratorId, administrators.id))
    .where(and(eq(administrators.login, login), eq(tenants.name, tenant)));
  if (row === undefined) return undefined;
  return {
    account: {
      id: { administratorId: row.administrator.id },
      login: row.administrator.login,
      tenantId: row.tenant.id,
      tenantName: row.tenant.name,
    },
    isBlocked: row.administrator.isBlocked || row.tenant.isBlocked,
    passwordHash: row.passwordHash ?? undefined,
  };
}
