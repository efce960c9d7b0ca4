/** What pages and API ask of auth besides sign-ins, with what this administrator may see and do. */

import { AppError } from "../lib/errors.ts";
import { recordForgotten } from "../service/sign-in-throttle/forget.ts";
import type { DirectoryStep, SlowedShape } from "../wire/auth/administration.ts";
import type { AuthReply } from "../wire/auth/requests.ts";
import { contextOf } from "./context.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";
import type { SettingScope } from "./setting-scope.ts";
import { tenantOf } from "./visible.ts";

export type TestedDirectory = readonly { readonly name: string; readonly steps: readonly DirectoryStep[] }[];

/** Tries the directories of a scope by its settings as they are kept. */
export async function askDirectoryTest(
  deps: AdminDeps,
  c: AdminContext,
  { scope, login }: { readonly scope: SettingScope; readonly login: string },
): Promise<TestedDirectory> {
  const { tenantId } = scope;
  const isByTenant = tenantOf(c) !== undefined;
  const asked = { kind: "test-directory", login: login.slice(0, 256), isByTenant } as const;
  const reply = await deps.auth.ask(
    tenantId === undefined ? asked : { ...asked, tenantId },
    c.req.raw.signal,
  );
  if (reply.outcome === "directory-tested") return reply.servers;
  throw failureOf(reply);
}

/** Directories of a scope that auth of this box leaves alone, since they didn't answer; none where auth is away itself. */
export async function askAwayDirectories(
  deps: AdminDeps,
  c: AdminContext,
  names: readonly string[],
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const reply = await deps.auth.ask({ kind: "list-away" }, c.req.raw.signal);
  if (reply.outcome !== "away") return [];
  const away = reply.directories.filter(({ name }) => names.includes(name));
  // The reason would tell a tenant's administrators what listens at places that they name.
  return tenantOf(c) === undefined
    ? away
    : away.map(({ name }) => ({ name, text: "the site's administrators see why" }));
}

/** Whose next try waits; of their own tenant for its administrators. */
export async function askSlowed(
  deps: AdminDeps,
  c: AdminContext,
): Promise<{ readonly slowed: readonly SlowedShape[]; readonly total: number }> {
  const tenant = tenantOf(c) === undefined ? undefined : c.get("signedIn").actor.tenantName;
  const reply = await deps.auth.ask(
    { kind: "list-slowed", ...(tenant === undefined ? {} : { tenant }) },
    c.req.raw.signal,
  );
  if (reply.outcome === "slowed") return reply;
  throw failureOf(reply);
}

/** Returns what people call it. Throws `not-found` for what this administrator doesn't see in the list. */
export async function forgetSlowed(deps: AdminDeps, c: AdminContext, slowedId: string): Promise<string> {
  const { slowed } = await askSlowed(deps, c);
  const one = slowed.find(({ id }) => id === slowedId);
  if (one === undefined) throw new AppError("not-found", "Nobody of this id is slowed down any more.");
  const name = nameSlowed(one);
  await recordForgotten(contextOf(deps, c), {
    name,
    lane: one.lane,
    ...(one.tenant === undefined ? {} : { tenant: one.tenant }),
  });
  const reply = await deps.auth.ask({ kind: "forget-slowed", slowedId }, c.req.raw.signal);
  if (reply.outcome !== "forgotten") throw failureOf(reply);
  return name;
}

/** `secret` is in base 32. What comes back only auth can open. */
export async function askSealedSecondFactor(
  deps: AdminDeps,
  c: AdminContext,
  secret: string,
): Promise<Uint8Array> {
  const reply = await deps.auth.ask({ kind: "seal-second-factor", secret }, c.req.raw.signal);
  if (reply.outcome !== "second-factor-sealed") throw failureOf(reply);
  return Buffer.from(reply.sealedSecret, "base64");
}

export function nameSlowed({ login, tenant, origin }: SlowedShape): string {
  if (login === undefined) return origin ?? "somebody";
  return `${login}@${tenant ?? "default"}`;
}

function failureOf(reply: AuthReply): AppError {
  const text = "text" in reply ? reply.text : "auth did not answer what was asked";
  return new AppError("unavailable", text);
}
