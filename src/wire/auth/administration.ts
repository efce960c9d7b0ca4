/** What only the admin process may ask of auth: for pages that show how signing in works, and help it. */

import { z } from "zod";

const id = z.number().int().nonnegative();

/** Lines of the socket are bounded, and a page shows no more. */
export const MOST_SLOWED = 40;
export const MOST_AWAY = 20;
const MOST_TEXT = 400;

export const AdministrationRequests = [
  /** By the settings as they are kept: of the site's without a tenant. */
  z.strictObject({
    id,
    kind: z.literal("test-directory"),
    tenantId: z.number().int().optional(),
    /** By one of the tenant's own administrators: why a place can't be reached is not for them to learn. */
    isByTenant: z.boolean().optional(),
    /** Looked up there, where given; no password is needed. */
    login: z.string().max(256),
  }),
  z.strictObject({ id, kind: z.literal("list-slowed"), tenant: z.string().max(128).optional() }),
  /** Directories that are left alone for a while, since they didn't answer. */
  z.strictObject({ id, kind: z.literal("list-away") }),
  z.strictObject({ id, kind: z.literal("forget-slowed"), slowedId: z.string().max(64) }),
  /** A user's from QVD 4, in base 32: sealed for auth, which keeps nothing of it. */
  z.strictObject({ id, kind: z.literal("seal-second-factor"), secret: z.string().max(256) }),
] as const;

export const DirectoryStep = z.strictObject({ what: z.string(), isGood: z.boolean(), text: z.string() });
export type DirectoryStep = z.infer<typeof DirectoryStep>;

export const SlowedShape = z.strictObject({
  id: z.string(),
  lane: z.enum(["pair", "account", "address", "code"]),
  kind: z.enum(["user", "administrator"]).optional(),
  login: z.string().optional(),
  tenant: z.string().optional(),
  origin: z.string().optional(),
  failures: z.number().int(),
  waitMs: z.number(),
});
export type SlowedShape = z.infer<typeof SlowedShape>;

export const AdministrationReplies = [
  z.strictObject({
    id,
    outcome: z.literal("directory-tested"),
    servers: z.array(z.strictObject({ name: z.string(), steps: z.array(DirectoryStep) })),
  }),
  z.strictObject({ id, outcome: z.literal("slowed"), slowed: z.array(SlowedShape), total: z.number().int() }),
  z.strictObject({
    id,
    outcome: z.literal("away"),
    directories: z.array(z.strictObject({ name: z.string(), text: z.string() })),
  }),
  z.strictObject({ id, outcome: z.literal("forgotten") }),
  z.strictObject({ id, outcome: z.literal("second-factor-sealed"), sealedSecret: z.base64() }),
] as const;

/** Whether the admin process alone may ask it. */
export function isAdministration(kind: string): boolean {
  return AdministrationRequests.some((request) => request.shape.kind.value === kind);
}

export function clip(text: string, most = MOST_TEXT): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
