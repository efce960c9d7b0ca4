/** What the gateway needs of the database for visits: somebody at a screen that is not theirs. */

import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import { type CarriedVisit, listOpenVisits, type OpenVisit, readVisit } from "../../db/queries/visits.ts";
import type { UserActor } from "../../domain/access/actor.ts";
import { asId, type SessionId, type VisitId, type VmId } from "../../domain/ids.ts";
import type { VisitEnd } from "../../domain/visit/decide-visit-end.ts";
import { admitVisit } from "../../service/visit/admit.ts";
import { type BegunVisit, beginVisit } from "../../service/visit/begin.ts";
import { endVisit } from "../../service/visit/end-visit.ts";
import { inviteVisitor } from "../../service/visit/invite.ts";
import type { ReadySession } from "../request.ts";
import type { Asker } from "../store.ts";

export type VisitView = Pick<
  CarriedVisit,
  "id" | "kind" | "vmId" | "name" | "mayControl" | "isAdmitted" | "end"
> & {
  /** The way to its screen; of a console without its key, which only who begins the visit is told. */
  readonly screen: ReadySession;
};

export interface VisitStore {
  /** Uses up the ticket; undefined when it opens nothing for that person, who may be nobody that is signed in here. */
  begin(ticket: string, actor: UserActor | undefined, origin: string): Promise<BegunVisit | undefined>;
  read(visitId: VisitId): Promise<VisitView | undefined>;
  /** Of those sessions, oldest first. */
  listOpen(sessionIds: readonly SessionId[]): Promise<readonly OpenVisit[]>;
  /** A ticket for whoever gets it. Throws where the asker doesn't sit there. */
  invite(asker: Asker, wish: { readonly vmId: VmId; readonly mayControl: boolean }): Promise<string>;
  admit(asker: Asker, visitId: VisitId): Promise<void>;
  /** By its owner, or by this program where no asker is given. */
  end(visitId: VisitId, cause: VisitEnd, asker?: Asker): Promise<void>;
}

const BROKER = { actor: { kind: "system", what: "broker" } } as const;

/** `nodeName` is this box's. */
export function createVisitStore(db: Db, randomToken: () => string, nodeName: string): VisitStore {
  return {
    begin: (ticket, actor, origin) => beginVisit({ db, ...BROKER, origin }, { ticket, person: actor }),
    read: async (visitId) => {
      const found = await attemptDatabase("read the visit", () => readVisit(db, visitId));
      if (found === undefined) return undefined;
      const { session: _session, node: _node, ...view } = found;
      return { ...view, screen: screenOf(found, nodeName) };
    },
    listOpen: (ids) => attemptDatabase("read who watches", () => listOpenVisits(db, ids)),
    invite: async (asker, wish) => (await inviteVisitor({ db, ...asker }, { randomToken }, wish)).ticket,
    admit: (asker, visitId) => admitVisit({ db, ...asker }, { visitId }),
    end: (visitId, cause, asker) => endVisit({ db, ...(asker ?? BROKER) }, { visitId, cause }),
  };
}

function screenOf({ id, vmId, session, node }: CarriedVisit, nodeName: string): ReadySession {
  const isHere = node === null || node.name === nodeName;
  const elsewhere = isHere ? undefined : { node: node.name, address: node.address ?? undefined };
  if (session !== null)
    return {
      ...{ id: session.id, vmId, elsewhere, slaveKey: session.slaveKey },
      ...{ address: session.address ?? "", port: session.port ?? 0 },
    };
  return {
    ...{ id: asId<SessionId>(0), visitId: id, vmId, elsewhere, slaveKey: "" },
    ...{ address: "", port: 0, isConsole: true },
  };
}
