/**
 * The auth socket: JSON lines between a process that must know who somebody is (broker, admin) and
 * `qvd auth run`. One question, one answer, matched by id; answers may come in any order. Before its answer a question
 * that waits for its turn may be told its place, and its asker may take it back.
 */

import { z } from "zod";

/** A longer line ends the connection. */
export const MOST_AUTH_LINE_BYTES = 16 * 1024;
const MOST_WAIT_MS = 600_000;

/** What somebody shows to prove who they are. A new way of proving is a new member here and an authenticator in auth. */
export const AuthProof = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("password"),
    password: z.string().max(2048),
    /** The code, when it was asked for in a step of its own. */
    secondFactor: z.string().max(128).optional(),
    /**
     * The asker can ask the person for a code after `second-factor-needed`. Without it (NX clients) the code of
     * those who have a second factor is taken from the password's end.
     */
    canAskForCode: z.boolean().optional(),
  }),
  /** Names its owner itself; the question's login is empty. */
  z.strictObject({ kind: z.literal("token"), token: z.string().max(512) }),
  /** The other half of a sign-in that was answered `second-factor-needed`; the question's login is empty. */
  z.strictObject({
    kind: z.literal("second-factor"),
    ticket: z.string().max(8192),
    code: z.string().max(128),
  }),
  /** A browser that is back from its provider; the question's login is empty. */
  z.strictObject({
    kind: z.literal("oidc"),
    /** Of `begin-oidc`. */
    ticket: z.string().max(4096),
    /** What stood behind the `?` of the address that the provider sent it to. */
    query: z.string().max(8192),
    /** Only if they proved themselves there just now. */
    isFresh: z.boolean().optional(),
  }),
]);
export type AuthProof = z.infer<typeof AuthProof>;

export const AuthQuestion = z.strictObject({
  id: z.number().int().nonnegative(),
  kind: z.enum(["user", "administrator"]),
  login: z.string().max(512),
  proof: AuthProof,
  /** Address of the person's client, for throttling and the log. */
  origin: z.string().max(128),
  /** How long the person may wait for their turn; left out: as long as auth sees fit. */
  mayWaitMs: z.number().int().positive().max(MOST_WAIT_MS).optional(),
  /** Their place is told meanwhile. */
  tellsPlace: z.boolean().optional(),
});
export type AuthQuestion = z.infer<typeof AuthQuestion>;

/** From the asker: nobody waits for the answer to its question any more. There is no answer to this. */
export const AuthLeave = z.strictObject({ id: z.number().int().nonnegative(), kind: z.literal("leave") });

/** Not an answer yet: where a question stands among those that wait. */
export const AuthPlace = z.strictObject({
  id: z.number().int(),
  outcome: z.literal("waiting"),
  /** 1 is next. */
  number: z.number().int(),
  waitMs: z.number(),
});
export type AuthPlace = z.infer<typeof AuthPlace>;

const accepted = {
  id: z.number().int(),
  outcome: z.literal("accepted"),
  login: z.string(),
  tenantId: z.number().int(),
  tenantName: z.string(),
  /** The authenticator that proved it. */
  by: z.string(),
};

export const AuthAnswer = z.union([
  z.strictObject({
    ...accepted,
    userId: z.number().int(),
    /** What the authenticator gives the desktop (`qvd.vm.user.home`); wins over what the client sends. */
    parameters: z.record(z.string(), z.string()).optional(),
    /** The proof is good for this desktop only. */
    vmId: z.number().int().optional(),
  }),
  z.strictObject({ ...accepted, administratorId: z.number().int() }),
  z.strictObject({ id: z.number().int(), outcome: z.literal("denied") }),
  /**
   * The password is right, and a code is needed besides: ask again with both, or with the ticket and the code.
   * Who isn't enrolled can't sign in before they are: `begin-enrolment` with the ticket.
   */
  z.strictObject({
    id: z.number().int(),
    outcome: z.literal("second-factor-needed"),
    isEnrolled: z.boolean(),
    ticket: z.string(),
  }),
  z.strictObject({
    id: z.number().int(),
    outcome: z.enum(["busy", "unavailable"]),
    text: z.string(),
    /** Of `busy`: when it makes sense to come again. */
    retryMs: z.number().optional(),
  }),
]);
export type AuthAnswer = z.infer<typeof AuthAnswer>;
