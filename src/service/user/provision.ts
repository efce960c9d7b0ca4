/**
 * Makes what somebody lacks whom a directory or provider has just proved: their user, and a desktop of the flavour
 * that the tenant's settings name. Asked at each sign-in; two at once, also on two boxes, make one of each.
 */

import { and, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { users, vms } from "../../db/schema/index.ts";
import { asId, type OsfId, type TenantId, type UserId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, loginField, parseInput, tagField, textField, wholeNumber } from "../input.ts";
import { type CreateVmDeps, createVm } from "../vm/create.ts";

export const provisionUserInput = z.object({
  tenantId: idField<TenantId>(),
  login: loginField,
  fullName: textField(0, 200),
  /** Who proved them, for the audit log. */
  by: textField(1, 64),
  /** No desktop is made without it. */
  osfId: idField<OsfId>().optional(),
  diTag: tagField,
  /** Names that are tried. */
  mostVms: wholeNumber(1, 100),
});

export async function provisionUser(
  context: Context,
  deps: CreateVmDeps,
  input: z.input<typeof provisionUserInput>,
): Promise<void> {
  const wanted = parseInput(provisionUserInput, input);
  const { tenantId, login, osfId } = wanted;
  authorize(context, "user.provision", { tenantId, what: `tenant ${tenantId}` });
  // Nearly always all is there, and nothing is locked.
  if (await isThere(context, wanted)) return;
  await change(context, { doing: `make the account of ${login}` }, async (inside) => {
    const key = `qvd provision ${tenantId} ${login}`;
    await inside.db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`);
    const userId = (await findUser(inside, wanted)) ?? (await makeUser(inside, wanted));
    if (osfId !== undefined && !(await hasDesktop(inside, userId, osfId)))
      await makeDesktop(inside, deps, { ...wanted, userId, osfId });
  });
}

type Wanted = z.output<typeof provisionUserInput>;

async function isThere(context: Context, wanted: Wanted): Promise<boolean> {
  const userId = await findUser(context, wanted);
  if (userId === undefined) return false;
  return wanted.osfId === undefined || (await hasDesktop(context, userId, wanted.osfId));
}

async function findUser({ db }: Context, { tenantId, login }: Wanted): Promise<UserId | undefined> {
  const [row] = await db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), eq(users.login, login)));
  return row?.id;
}

async function hasDesktop({ db }: Context, userId: UserId, osfId: OsfId): Promise<boolean> {
  const rows = await db
    .select({ id: vms.id })
    .from(vms)
    .where(and(eq(vms.userId, userId), eq(vms.osfId, osfId), isNull(vms.deletedAt)))
    .limit(1);
  return rows.length > 0;
}

async function makeUser(inside: Context, { tenantId, login, fullName, by }: Wanted): Promise<UserId> {
  const userId = asId<UserId>(await insertRow(inside.db, users, { tenantId, login, fullName }));
  await recordAudit(inside, {
    action: "user.provision",
    tenantId,
    subjectKind: "user",
    subjectId: userId,
    subjectName: login,
    detail: { by },
  });
  return userId;
}

async function makeDesktop(
  inside: Context,
  deps: CreateVmDeps,
  wanted: Wanted & { readonly userId: UserId; readonly osfId: OsfId },
): Promise<void> {
  const { tenantId, login, userId, osfId, diTag, mostVms } = wanted;
  const names = Array.from({ length: mostVms }, (_, index) => `${login.slice(0, 60)}-${index + 1}`);
  const taken = await inside.db.select({ name: vms.name }).from(vms).where(eq(vms.tenantId, tenantId));
  const inUse = new Set(taken.map((row) => row.name));
  const name = names.find((one) => !inUse.has(one));
  if (name === undefined)
    throw new AppError(
      "conflict",
      `make a desktop of ${login}: the names ${names[0]} to ${names.at(-1)} are all taken; raise auth.auto.max_vms or make the desktop by hand`,
    );
  await createVm(inside, deps, { userId, osfId, name, diTag });
}
