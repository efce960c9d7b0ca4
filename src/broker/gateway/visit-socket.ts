/** The WebSocket of a visit: whoever brings a good ticket may open it, an invited person signed in besides. */

import type { VisitId } from "../../domain/ids.ts";
import type { FoundWebSession } from "../../service/web-session/find.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";

export const VISIT_SOCKET_PATH = "/visit/ws";

export type AdmittedVisit = {
  readonly kind: "visit";
  readonly visitId: VisitId;
  /** Who is signed in on this port, if anybody is: administrators aren't. */
  readonly person: FoundWebSession | undefined;
  readonly token: string;
};

export async function admitVisitSocket(
  deps: GatewayDeps,
  request: Request,
  origin: string,
): Promise<AdmittedVisit | Response> {
  const ticket = new URL(request.url).searchParams.get("ticket") ?? "";
  const refused = new Response(null, { status: 403 });
  // A page of another site could have somebody of ours open what its owner was given.
  if (deps.visits === undefined || !isOwnHost(request, request.headers.get("Origin") ?? "")) return refused;
  const token = parseUserToken(request.headers.get("Cookie")) ?? "";
  try {
    const person = token === "" ? undefined : await deps.web.find(token);
    const visitId = await deps.visits.begin(ticket, person?.actor, origin);
    return visitId === undefined ? refused : { kind: "visit", visitId, person, token };
  } catch (error) {
    deps.log.warn("visitor-not-admitted", { error });
    return new Response(null, { status: 503 });
  }
}
