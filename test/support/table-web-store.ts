/** Web sessions and tickets in memory, for tests of what the gateway does with them. */

import type { WebStore } from "../../src/broker/gateway/web-store.ts";
import type { ReadySession } from "../../src/broker/request.ts";
import { asId, type TenantId, type UserId } from "../../src/domain/ids.ts";
import { AppError } from "../../src/lib/errors.ts";

export type TableWebStore = WebStore & {
  /** Users' ids by their web session's token. */
  readonly sessions: Map<string, number>;
  readonly tickets: Map<string, { readonly vmId: number; readonly sessionToken: string }>;
};

/** `ownerOf` says whose a desktop is, `screenOf` in which session it is shown. */
export function createTableWebStore(
  ownerOf: (vmId: number) => number | undefined,
  screenOf: (vmId: number) => ReadySession | undefined = () => undefined,
): TableWebStore {
  const sessions: TableWebStore["sessions"] = new Map();
  const tickets: TableWebStore["tickets"] = new Map();
  const expiresAt = new Date(Date.now() + 3_600_000);
  const actorOf = (userId: number) => ({
    kind: "user" as const,
    userId: asId<UserId>(userId),
    login: `user${userId}`,
    tenantId: asId<TenantId>(1),
    tenantName: "default",
  });
  return {
    sessions,
    tickets,
    begin: async (userId) => {
      const token = `session${sessions.size + 1}-of-${userId}`;
      sessions.set(token, userId);
      return { token, csrfToken: `csrf-of-${token}`, expiresAt, actor: actorOf(userId) };
    },
    find: async (token) => {
      const userId = sessions.get(token);
      if (userId === undefined) return undefined;
      return { actor: actorOf(userId), csrfToken: `csrf-of-${token}`, parameters: {}, expiresAt };
    },
    end: async (token) => void sessions.delete(token),
    listEnded: async (tokens) => [...tokens.keys()].filter((token) => !sessions.has(token)),
    issueTicket: async ({ actor }, wish) => {
      if (ownerOf(wish.vmId) !== actor.userId)
        throw new AppError("forbidden", "You are not allowed to access requested virtual machine");
      const ticket = `ticket${crypto.randomUUID()}`;
      tickets.set(ticket, wish);
      return ticket;
    },
    findScreen: async (userId, vmId) => (ownerOf(vmId) === userId ? screenOf(vmId) : undefined),
    takeTicket: async ({ ticket, sessionToken, vmId }) => {
      const found = tickets.get(ticket);
      if (found?.sessionToken !== sessionToken || found.vmId !== vmId) return false;
      return tickets.delete(ticket);
    },
  };
}
