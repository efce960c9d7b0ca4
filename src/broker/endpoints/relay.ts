/**
 * A broker of another box asks for a session at a desktop of this one. It proves that it is of the site; that
 * the session is one, is claimed, and is here, stands in the database. Strangers are told nothing but that
 * there is nothing for them.
 */

import { parseId, type SessionId, type VisitId } from "../../domain/ids.ts";
import { SCREEN_PORT } from "../../domain/session/screen-port.ts";
import { requireConsoles } from "../reach.ts";
import { findProofFault, findStrangerFault } from "../relay/box-proof.ts";
import { VISIT } from "../relay/relays.ts";
import { type Endpoint, replyAndClose } from "../request.ts";

export const relay: Endpoint = async (deps, { head, clientAddress }) => {
  const sessionId = parseId<SessionId>(head.query.get("session") ?? "");
  const visitId = parseId<VisitId>(head.query.get("visit") ?? "");
  const subject = visitId === undefined ? sessionId && { sessionId } : { visitId };
  const isScreen = head.query.get("port") === "screen";
  const { identity, log } = deps;
  if (identity === undefined || subject === undefined) return replyAndClose({ status: 404 });
  const refuse = (reason: string) => {
    log.warn("relay-refused", { from: clientAddress, reason });
    return replyAndClose({ status: 404 });
  };
  // Strangers don't cost the database a question.
  const stranger = findStrangerFault(identity.authority, head.headers);
  if (stranger !== undefined) return refuse(stranger);
  const view = await ("visitId" in subject
    ? deps.store.readVisitRelay(subject.visitId)
    : deps.store.readRelay(subject.sessionId));
  const fault =
    view.address === undefined
      ? "this node has not registered an address"
      : findProofFault(identity.authority, { ...subject, address: view.address, isScreen }, head.headers);
  if (fault !== undefined) return refuse(fault);
  if (view.desktop === undefined) return replyAndClose({ status: 503, body: "The session is not here" });
  const { isConsole, ...desktop } = view.desktop;
  const path = isConsole ? requireConsoles(deps) : undefined;
  // Nothing ends such a pipe but its two ends, so a visit needs no number of a session's.
  const port = isScreen ? SCREEN_PORT : desktop.port;
  return { kind: "relay", relay: { ...desktop, port, path, sessionId: sessionId ?? VISIT } };
};
