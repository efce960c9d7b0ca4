/**
 * A broker of another box asks for a session at a desktop of this one. It proves that it is of the site; that
 * the session is one, is claimed, and is here, stands in the database. Strangers are told nothing but that
 * there is nothing for them.
 */

import { parseId, type SessionId } from "../../domain/ids.ts";
import { findProofFault, findStrangerFault } from "../relay/box-proof.ts";
import { type Endpoint, replyAndClose } from "../request.ts";

export const relay: Endpoint = async (deps, { head, clientAddress }) => {
  const sessionId = parseId<SessionId>(head.query.get("session") ?? "");
  const { identity, log } = deps;
  if (identity === undefined || sessionId === undefined) return replyAndClose({ status: 404 });
  const refuse = (reason: string) => {
    log.warn("relay-refused", { from: clientAddress, reason });
    return replyAndClose({ status: 404 });
  };
  // Strangers don't cost the database a question.
  const stranger = findStrangerFault(identity.authority, head.headers);
  if (stranger !== undefined) return refuse(stranger);
  const view = await deps.store.readRelay(sessionId);
  const fault =
    view.address === undefined
      ? "this node has not registered an address"
      : findProofFault(identity.authority, { sessionId, address: view.address }, head.headers);
  if (fault !== undefined) return refuse(fault);
  if (view.desktop === undefined) return replyAndClose({ status: 503, body: "The session is not here" });
  return { kind: "relay", relay: { ...view.desktop, sessionId } };
};
