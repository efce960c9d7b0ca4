/** What the gateway needs of the database beside the broker's own store: who is signed in by browser, and tickets. */

import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { readLiveScreen } from "../../db/queries/live-screen.ts";
import { asId, type UserId, type VmId } from "../../domain/ids.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import { type BegunWebSession, beginWebSession } from "../../service/web-session/begin.ts";
import { endWebSession } from "../../service/web-session/end.ts";
import { type FoundWebSession, findWebSession } from "../../service/web-session/find.ts";
import { issueTicket } from "../../service/web-session/issue-ticket.ts";
import { listEndedWebSessions } from "../../service/web-session/list-ended.ts";
import { type Ticket, takeTicket } from "../../service/web-session/take-ticket.ts";
import type { ReadySession } from "../request.ts";
import type { Asker } from "../store.ts";

export interface WebStore {
  /**
   * For a user whom auth has just proved; `parameters` are what it gives their desktops. Throws `not-signed-in` when they
   * were blocked meanwhile.
   */
  begin(userId: number, origin: string, parameters?: GivenParameters): Promise<BegunWebSession>;
  find(token: string): Promise<FoundWebSession | undefined>;
  end(token: string): Promise<void>;
  /** Of those tokens, by when each expires, the ones that somebody has ended before their time. */
  listEnded(tokens: ReadonlyMap<string, Date>): Promise<readonly string[]>;
  /** Throws when the desktop is not the asker's. */
  issueTicket(asker: Asker, wish: { readonly vmId: VmId; readonly sessionToken: string }): Promise<string>;
  /** The session in which they sit at that desktop by browser now. */
  findScreen(userId: UserId, vmId: VmId): Promise<ReadySession | undefined>;
  /** True once for each ticket. */
  takeTicket(ticket: Ticket): Promise<boolean>;
}

/** `nodeName` is this box's. */
export function createWebStore(db: Db, randomToken: () => string, nodeName: string): WebStore {
  return {
    begin: (userId, origin, parameters = {}) =>
      beginWebSession(
        { db, actor: { kind: "system", what: "broker" }, origin },
        { randomToken },
        { userId: asId<UserId>(userId), parameters },
      ),
    find: (token) => findWebSession(db, token),
    end: (token) => endWebSession(db, token),
    listEnded: (tokens) => listEndedWebSessions(db, tokens),
    issueTicket: (asker, wish) => issueTicket({ db, ...asker }, { randomToken }, wish),
    findScreen: async (userId, vmId) => {
      const found = await attemptDatabase("find your session", () => readLiveScreen(db, { userId, vmId }));
      if (found === undefined) return undefined;
      const { node, ...session } = found;
      const isHere = node === null || node.name === nodeName;
      const elsewhere = isHere ? undefined : { node: node.name, address: node.address ?? undefined };
      return { ...session, elsewhere };
    },
    takeTicket: (ticket) => takeTicket(db, ticket),
  };
}

/** 256 bits that nobody can guess. */
export function randomWebToken(): string {
  return crypto.getRandomValues(Buffer.alloc(32)).toString("base64url");
}
