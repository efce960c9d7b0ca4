import { and, eq, gt, sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { userWebTickets } from "../../db/schema/index.ts";
import type { VmId } from "../../domain/ids.ts";
import { tokenHash } from "../sign-in/token.ts";

export type Ticket = { readonly ticket: string; readonly sessionToken: string; readonly vmId: VmId };

/** True once for each ticket, and only for the web session and desktop that it was issued for, in time. */
export async function takeTicket(db: Db, { ticket, sessionToken, vmId }: Ticket): Promise<boolean> {
  if (ticket === "" || ticket.length > 128) return false;
  const taken = await attemptDatabase("check the ticket", () =>
    db
      .delete(userWebTickets)
      .where(
        and(
          eq(userWebTickets.ticketHash, tokenHash(ticket)),
          eq(userWebTickets.sessionHash, tokenHash(sessionToken)),
          eq(userWebTickets.vmId, vmId),
          gt(userWebTickets.expiresAt, sql`qvd_now()`),
        ),
      )
      .returning({ vmId: userWebTickets.vmId }),
  );
  return taken.length === 1;
}
