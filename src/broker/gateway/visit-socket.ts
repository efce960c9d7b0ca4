/** The WebSocket of a visit: whoever brings a good ticket may open it, an invited person signed in besides. */

import type { BegunVisit } from "../../service/visit/begin.ts";
import type { FoundWebSession } from "../../service/web-session/find.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";

export const VISIT_SOCKET_PATH = "/visit/ws";

export type AdmittedVisit = BegunVisit & {
  readonly kind: "visit";
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
    const begun = await deps.visits.begin(ticket, person?.actor, origin);
    return begun === undefined ? refused : { kind: "visit", ...begun, person, token };
  } catch (error) {
    deps.log.warn("visitor-not-admitted", { error });
    return new Response(null, { status: 503 });
  }
}
