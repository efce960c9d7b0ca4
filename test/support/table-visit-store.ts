/** Visits in memory, for tests of what the gateway does with them. */

import type { VisitStore, VisitView } from "../../src/broker/gateway/visit-store.ts";
import type { ReadySession } from "../../src/broker/request.ts";
import { asId, type SessionId, type VisitId, type VmId } from "../../src/domain/ids.ts";
import type { VisitEnd } from "../../src/domain/visit/decide-visit-end.ts";
import { AppError } from "../../src/lib/errors.ts";

type TableVisit = Omit<VisitView, "screen" | "end"> & {
  readonly sessionId: SessionId;
  readonly ticket: string;
  readonly isInvitation: boolean;
  visitor: string;
  hasBegun: boolean;
  isAdmitted: boolean;
  endCause: VisitEnd | null;
};

export type TableVisitStore = VisitStore & {
  readonly visits: TableVisit[];
  /** As an administrator would; returns the ticket. */
  ask(wish: { readonly vmId: VmId; readonly mayControl: boolean; readonly needsConsent: boolean }): string;
};

/** `screenOf` says in which session a desktop is shown by browser now. */
export function createTableVisitStore(screenOf: (vmId: VmId) => ReadySession | undefined): TableVisitStore {
  const visits: TableVisit[] = [];
  const find = (id: VisitId) => visits.find((one) => one.id === id);
  function add(vmId: VmId, more: Pick<TableVisit, "mayControl" | "isAdmitted" | "isInvitation" | "visitor">) {
    const sessionId = screenOf(vmId)?.id;
    if (sessionId === undefined) throw new AppError("conflict", "Nobody has it open in a browser now");
    const id = asId<VisitId>(visits.length + 1);
    const ticket = `visit${crypto.randomUUID()}`;
    const name = "vm1";
    visits.push({
      id,
      kind: "watch",
      vmId,
      name,
      sessionId,
      ticket,
      hasBegun: false,
      endCause: null,
      ...more,
    });
    return ticket;
  }
  return {
    visits,
    ask: ({ vmId, mayControl, needsConsent }) =>
      add(vmId, {
        mayControl,
        isAdmitted: !needsConsent,
        isInvitation: false,
        visitor: "Administrator maria",
      }),
    begin: async (ticket, actor) => {
      const visit = visits.find((one) => one.ticket === ticket && !one.hasBegun && one.endCause === null);
      if (visit === undefined || (visit.isInvitation && actor === undefined)) return undefined;
      visit.hasBegun = true;
      if (actor !== undefined && visit.isInvitation) visit.visitor = actor.login;
      return { visitId: visit.id, consoleKey: undefined };
    },
    read: async (id) => {
      const visit = find(id);
      const screen = visit === undefined ? undefined : screenOf(visit.vmId);
      if (visit === undefined) return undefined;
      const end = visit.endCause ?? (screen?.id === visit.sessionId ? undefined : "session-over");
      return screen === undefined ? undefined : { ...visit, end, screen };
    },
    listOpen: async (ids) =>
      visits
        .filter((one) => ids.includes(one.sessionId) && one.endCause === null)
        .filter((one) => one.hasBegun || one.isInvitation)
        .map(({ id, sessionId, visitor, mayControl, hasBegun, isAdmitted }) => ({
          ...{ id, sessionId, mayControl, visitor: hasBegun ? visitor : null },
          phase: hasBegun ? (isAdmitted ? "watches" : "asks") : "invited",
        })),
    invite: async (_asker, { vmId, mayControl }) =>
      add(vmId, { mayControl, isAdmitted: true, isInvitation: true, visitor: "" }),
    admit: async (_asker, id) => {
      const visit = find(id);
      if (visit !== undefined) visit.isAdmitted = true;
    },
    end: async (id, cause) => {
      const visit = find(id);
      if (visit !== undefined) visit.endCause ??= cause;
    },
  };
}
