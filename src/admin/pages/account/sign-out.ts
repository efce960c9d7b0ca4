import type { Handler } from "hono";
import { endSignIn } from "../../../service/sign-in/end.ts";
import { clearSessionToken } from "../../cookies.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";

/** POST /sign-out */
export function signOut(deps: AdminDeps): Handler<AdminEnv> {
  return async function endSession(c) {
    await endSignIn(deps.db, c.get("signedIn").token);
    clearSessionToken(c);
    return c.redirect("/sign-in", 303);
  };
}
