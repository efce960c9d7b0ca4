/** POST /api/v1/sign-in and /api/v1/sign-out. */

import type { Handler } from "hono";
import { AppError } from "../../lib/errors.ts";
import { endSignIn } from "../../service/sign-in/end.ts";
import type { AuthProof } from "../../wire/auth/messages.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { signInAdministrator } from "../sign-in.ts";
import { readJson } from "./body.ts";

export function apiSignIn(deps: AdminDeps): Handler<AdminEnv> {
  return async function begin(c) {
    const { login, password, code } = await readJson(c);
    if (typeof login !== "string") throw new AppError("bad-input", "login is missing", { field: "login" });
    if (typeof password !== "string")
      throw new AppError("bad-input", "password is missing", { field: "password" });
    const proof: AuthProof = {
      kind: "password",
      password,
      canAskForCode: true,
      ...(typeof code === "string" ? { secondFactor: code } : {}),
    };
    const outcome = await signInAdministrator(deps, c, { login, proof });
    if (outcome.kind === "code-needed") {
      const text = outcome.isEnrolled
        ? "A code of your authenticator app is needed as well: send it as `code`."
        : "You need a second factor: sign in to the web admin tool once to set it up.";
      throw new AppError("not-signed-in", text, outcome.isEnrolled ? { field: "code" } : {});
    }
    if (outcome.kind === "refused") {
      throw new AppError(outcome.status === 401 ? "not-signed-in" : "unavailable", outcome.text);
    }
    const administrator = { login: outcome.login, tenant: outcome.tenantName };
    return c.json({ token: outcome.token, expiresAt: outcome.expiresAt.toISOString(), administrator });
  };
}

export function apiSignOut(deps: AdminDeps): Handler<AdminEnv> {
  return async function end(c) {
    await endSignIn(deps.db, c.get("signedIn").token);
    return c.body(null, 204);
  };
}
