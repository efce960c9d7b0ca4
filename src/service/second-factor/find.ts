/** Whose second factor it is, for the verbs that auth calls on behalf of somebody whom it has just proved. */

import { eq } from "drizzle-orm";
import { administrators, tenants, users } from "../../db/schema/index.ts";
import type { Action } from "../../domain/access/action.ts";
import type { AdministratorActor, UserActor } from "../../domain/access/actor.ts";
import type { AdministratorId, UserId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import type { Context } from "../context.ts";

/** A person who signs in: a user or an administrator. */
export type PersonId = { readonly userId: UserId } | { readonly administratorId: AdministratorId };

export type Person = UserActor | AdministratorActor;

/** The actor's right is checked before anything is said about the person. */
export async function findPersonFor(inside: Context, action: Action, id: PersonId): Promise<Person> {
  const what = "userId" in id ? `user ${id.userId}` : `administrator ${id.administratorId}`;
  authorize(inside, action, { what });
  const person = "userId" in id ? await findUser(inside, id.userId) : await findAdministrator(inside, id);
  if (person === undefined) throw new AppError("not-found", `${what} does not exist`);
  return person;
}

/** In the person's own name: it was they who asked, and auth only looked whether they may. */
export async function auditPerson(
  inside: Context,
  action: Action,
  { person, detail }: { readonly person: Person; readonly detail?: Readonly<Record<string, unknown>> },
): Promise<void> {
  await recordAudit(
    { ...inside, actor: person },
    {
      action,
      tenantId: person.tenantId,
      subjectKind: person.kind,
      subjectId: person.kind === "user" ? person.userId : person.administratorId,
      subjectName: person.login,
      ...(detail === undefined ? {} : { detail }),
    },
  );
}

async function findUser({ db }: Context, userId: UserId): Promise<UserActor | undefined> {
  const [row] = await db
    .select({ login: users.login, tenantId: users.tenantId, tenantName: tenants.name })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(eq(users.id, userId));
  return row === undefined ? undefined : { kind: "user", userId, ...row };
}

async function findAdministrator(
  { db }: Context,
  { administratorId }: { readonly administratorId: AdministratorId },
): Promise<AdministratorActor | undefined> {
  const [row] = await db
    .select({ login: administrators.login, tenantId: administrators.tenantId, tenantName: tenants.name })
    .from(administrators)
    .innerJoin(tenants, eq(tenants.id, administrators.tenantId))
    .where(eq(administrators.id, administratorId));
  return row === undefined ? undefined : { kind: "administrator", administratorId, acls: new Set(), ...row };
}
