/**
 * Tickets: a browser's WebSocket carries no token of ours against forgery, so the page asks for a ticket first, by a
 * request that does. A ticket opens one desktop, once, within seconds, for the web session that asked for it.
 */

import { lt, sql } from "drizzle-orm";
import { z } from "zod";
import { userWebTickets } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { tokenHash } from "../sign-in/token.ts";
import { findVmFor } from "../vm/find.ts";

export const issueTicketInput = z.object({ vmId: idField<VmId>(), sessionToken: z.string().min(1).max(128) });

const LIFETIME_SECONDS = 30;

/** The context's actor is the user; the desktop has to be theirs. */
export async function issueTicket(
  context: Context,
  deps: { readonly randomToken: () => string },
  input: z.input<typeof issueTicketInput>,
): Promise<string> {
  const { vmId, sessionToken } = parseInput(issueTicketInput, input);
  const ticket = deps.randomToken();
  await change(context, { doing: `open desktop ${vmId}` }, async (inside) => {
    await findVmFor(inside, "session.request", vmId);
    await inside.db.delete(userWebTickets).where(lt(userWebTickets.expiresAt, sql`qvd_now()`));
    await inside.db.insert(userWebTickets).values({
      ticketHash: tokenHash(ticket),
      sessionHash: tokenHash(sessionToken),
      vmId,
      expiresAt: sql`qvd_now() + make_interval(secs => ${LIFETIME_SECONDS})`,
    });
  });
  return ticket;
}
