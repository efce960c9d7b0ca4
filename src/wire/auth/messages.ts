/**
 * The auth socket: JSON lines between a process that must know who somebody is (broker, admin) and
 * `qvd auth run`. One question, one answer, matched by id; answers may come in any order.
 */

import { z } from "zod";

/** A longer line ends the connection. */
export const MOST_AUTH_LINE_BYTES = 16 * 1024;

export const AuthQuestion = z.strictObject({
  id: z.number().int().nonnegative(),
  kind: z.enum(["user", "administrator"]),
  login: z.string().max(512),
  password: z.string().max(2048),
  /** Address of the person's client, for throttling and the log. */
  origin: z.string().max(128),
});
export type AuthQuestion = z.infer<typeof AuthQuestion>;

const accepted = {
  id: z.number().int(),
  outcome: z.literal("accepted"),
  login: z.string(),
  tenantId: z.number().int(),
  tenantName: z.string(),
};

export const AuthAnswer = z.union([
  z.strictObject({ ...accepted, userId: z.number().int() }),
  z.strictObject({ ...accepted, administratorId: z.number().int() }),
  z.strictObject({ id: z.number().int(), outcome: z.literal("denied") }),
  z.strictObject({ id: z.number().int(), outcome: z.enum(["busy", "unavailable"]), text: z.string() }),
]);
export type AuthAnswer = z.infer<typeof AuthAnswer>;
