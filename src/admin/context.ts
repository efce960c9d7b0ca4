/** The context that verbs of the service layer run in, made from a request. */

import type { Context } from "../service/context.ts";
import type { VisitDeps } from "../service/visit/issue.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext } from "./env.ts";

export function contextOf(deps: AdminDeps, c: AdminContext): Context {
  const address = c.env?.address;
  return {
    db: deps.db,
    actor: c.get("signedIn").actor,
    ...(address === undefined ? {} : { origin: address }),
  };
}

/** A visit ends with the sign-in that asked for it. */
export function visitDeps({ randomToken }: AdminDeps, c: AdminContext): VisitDeps {
  return { randomToken, signInToken: c.get("signedIn").token };
}
