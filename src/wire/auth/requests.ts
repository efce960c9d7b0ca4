/**
 * What broker and admin ask of auth besides who somebody is: whatever must not be done without a proof, or needs a
 * secret that auth alone has. On the same socket as the questions; `kind` tells them apart.
 */

import { z } from "zod";
import { AdministrationReplies, AdministrationRequests } from "./administration.ts";
import { AuthProof } from "./messages.ts";

const id = z.number().int().nonnegative();
/** Address of the person's client. */
const origin = z.string().max(128);
const person = {
  of: z.enum(["user", "administrator"]),
  login: z.string().max(512),
  /** Of somebody who is signed in: their own, and `login` is theirs as it stands, whatever parts names on this site. */
  tenant: z.string().max(128).optional(),
  /** Proves them anew; being signed in is not enough to change what proves them. */
  proof: AuthProof,
};
const ticket = z.string().max(8192);

export const AuthRequest = z.discriminatedUnion("kind", [
  /** For a user whom the asker has had proved. */
  z.strictObject({
    id,
    kind: z.literal("create-token"),
    userId: z.number().int(),
    /** Opens this desktop and no other. */
    vmId: z.number().int().optional(),
    isMultiUse: z.boolean(),
    /** What the authenticator that proved them gives their desktops; whoever shows the token is given the same. */
    parameters: z.record(z.string(), z.string()).optional(),
    /** The tenant's setting bounds it, and is taken when left out. */
    lifetimeSeconds: z.number().int().positive().optional(),
    origin,
  }),
  /** By whoever has it and wants it no more. */
  z.strictObject({ id, kind: z.literal("give-back-token"), token: z.string().max(256), origin }),
  /** A secret for an authenticator app; nothing is kept before `confirm-enrolment`. */
  z.strictObject({ id, kind: z.literal("begin-enrolment"), ...person, origin }),
  /** `ticket` of `begin-enrolment`, and the first code that the app shows. Signs in as well. */
  z.strictObject({ id, kind: z.literal("confirm-enrolment"), ticket, code: z.string().max(128), origin }),
  /** For the page of a user who is signed in: what can be done about their second factor. */
  z.strictObject({ id, kind: z.literal("describe-second-factor"), userId: z.number().int(), origin }),
  z.strictObject({ id, kind: z.literal("renew-recovery-codes"), ...person, origin }),
  z.strictObject({ id, kind: z.literal("remove-second-factor"), ...person, origin }),
  /** Sends a browser to its tenant's provider. The asker keeps `ticket` in a cookie until it is back. */
  z.strictObject({
    id,
    kind: z.literal("begin-oidc"),
    of: z.enum(["user", "administrator"]),
    /** Empty for the tenant of a login that names none. */
    tenant: z.string().max(128),
    redirectUri: z.string().max(1024),
    /** They shall prove themselves anew, also when the provider knows their browser. */
    isFresh: z.boolean(),
    origin,
  }),
  /** Of tenants that offer one: the words on the button of the sign-in page. */
  z.strictObject({
    id,
    kind: z.literal("describe-oidc"),
    of: z.enum(["user", "administrator"]),
    tenant: z.string().max(128),
    origin,
  }),
  /** A code that unlocks the screen of a user who has just proved themselves at their provider. */
  z.strictObject({ id, kind: z.literal("create-unlock-code"), proof: AuthProof, origin }),
  /** By a node for a desktop whose screen is locked: what was typed there, by its user or by somebody else. */
  z.strictObject({
    id,
    kind: z.literal("unlock"),
    userId: z.number().int(),
    vmId: z.number().int(),
    secret: z.string().max(2048),
    /** The address of the client that sits there, by which the policy judges; the desktop while nobody does. */
    origin,
  }),
  ...AdministrationRequests,
]);
export type AuthRequest = z.infer<typeof AuthRequest>;

/** Who they are, as an accepted sign-in says. */
const Person = z.union([
  z.strictObject({ userId: z.number().int() }),
  z.strictObject({ administratorId: z.number().int() }),
]);
const recoveryCodes = z.array(z.string());

export const AuthReply = z.union([
  z.strictObject({ id, outcome: z.literal("token-created"), token: z.string(), tokenId: z.number().int() }),
  z.strictObject({
    id,
    outcome: z.literal("enrolment-begun"),
    /** Base 32, for typing it; `uri` is the same for a QR code. */
    secret: z.string(),
    uri: z.string(),
    ticket,
  }),
  z.strictObject({
    id,
    outcome: z.literal("enrolled"),
    /** Shown to the person now and known to nobody afterwards. */
    recoveryCodes,
    person: Person,
    login: z.string(),
    tenantId: z.number().int(),
    tenantName: z.string(),
    by: z.string(),
    /** As an accepted sign-in says. */
    parameters: z.record(z.string(), z.string()).optional(),
  }),
  /** Of somebody's second factor; without `recoveryCodesLeft` none is set up. */
  z.strictObject({
    id,
    outcome: z.literal("second-factor-described"),
    /** Their tenant's chain has codes, and they a password to prove themselves by. */
    canSetUp: z.boolean(),
    recoveryCodesLeft: z.number().int().optional(),
  }),
  z.strictObject({ id, outcome: z.literal("codes-renewed"), recoveryCodes }),
  z.strictObject({ id, outcome: z.literal("removed") }),
  z.strictObject({ id, outcome: z.literal("oidc-begun"), url: z.string(), ticket }),
  z.strictObject({ id, outcome: z.literal("oidc-described"), label: z.string() }),
  z.strictObject({ id, outcome: z.literal("unlock-code-created"), code: z.string() }),
  z.strictObject({ id, outcome: z.literal("unlocked") }),
  ...AdministrationReplies,
  z.strictObject({ id, outcome: z.literal("denied") }),
  /** `text` is for the person: why it can't be done, and what can. */
  z.strictObject({
    id,
    outcome: z.enum(["refused", "busy", "unavailable"]),
    text: z.string(),
    /** As an answer says. */
    retryMs: z.number().optional(),
  }),
]);
export type AuthReply = z.infer<typeof AuthReply>;
