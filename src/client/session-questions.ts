/** What the client asks of the broker around a session: a token to come again by, whether the session is over, and the token's end. */

import { z } from "zod";
import { AppError } from "../lib/errors.ts";
import type { Authorization, BrokerConnection } from "./broker-connection.ts";
import { type ListedDesktop, parseDesktops } from "./desktops.ts";
import { plainText } from "./plain-text.ts";

export type AskedSession = {
  readonly authorization: Authorization;
  readonly vmId: number;
  /** The session's key, which came with it. */
  readonly slaveKey: string;
};

export type SessionFate =
  | { readonly kind: "open" }
  /** `why` is a sentence's part. */
  | { readonly kind: "over"; readonly why: string }
  /** The broker knows nothing of it, or is one that can't be asked. */
  | { readonly kind: "unknown" };

const Made = z.object({ auth_token: z.string().trim().min(1) });
const State = z.object({ state: z.enum(["open", "over"]), text: z.string().optional() });

/** A token that opens this desktop alone, or undefined from a broker that makes none. */
export async function askToken(
  connection: BrokerConnection,
  { authorization, vmId }: Omit<AskedSession, "slaveKey">,
): Promise<Authorization | undefined> {
  const headers = { Authorization: authorization };
  const made = await connection.ask(`/qvd/create_auth_token?vm_id=${vmId}`, headers);
  const token = made.status === 200 ? parse(Made, made.body)?.auth_token : undefined;
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** None of a broker that lists none. */
export async function askApplications(
  connection: BrokerConnection,
  authorization: Authorization,
): Promise<readonly ListedDesktop[]> {
  const headers = { Authorization: authorization, Accept: "application/json" };
  const list = await connection.ask("/qvd/list_of_applications", headers);
  return list.status === 200 ? parseDesktops(list.body) : [];
}

/**
 * What became of a session whose connection is gone. Throws `not-signed-in` to whom the broker doesn't know any more, and
 * `unavailable` while it can't look: one that has just started may have no auth or database yet.
 */
export async function askFate(
  connection: BrokerConnection,
  { authorization, vmId, slaveKey }: AskedSession,
): Promise<SessionFate> {
  const headers = { Authorization: authorization, "X-QVD-Slave-Key": slaveKey };
  const answer = await connection.ask(`/qvd/session_state?id=${vmId}`, headers);
  if (answer.status === 401) throw new AppError("not-signed-in", "asking for the session was refused");
  if (answer.status >= 500)
    throw new AppError("unavailable", `asking for the session failed: ${plainText(answer.body).trim()}`);
  const said = answer.status === 200 ? parse(State, answer.body) : undefined;
  if (said === undefined) return { kind: "unknown" };
  if (said.state === "open") return { kind: "open" };
  return { kind: "over", why: plainText(said.text ?? "it is over") };
}

/** Nobody comes again by this token. Of a password there is nothing to give back. */
export async function giveBackToken(
  connection: BrokerConnection,
  authorization: Authorization,
): Promise<void> {
  if (authorization.startsWith("Bearer "))
    await connection.ask("/qvd/give_back_auth_token", { Authorization: authorization });
}

function parse<T>(shape: z.ZodType<T>, body: string): T | undefined {
  try {
    return shape.safeParse(JSON.parse(body)).data;
  } catch {
    // Another kind of broker, which says something else.
    return undefined;
  }
}
