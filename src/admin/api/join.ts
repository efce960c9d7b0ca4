/**
 * What a box that wants to join may ask without a sign-in: the site's authority, and the sealed bundle of a code,
 * once. The bundle is of no use without the code's key, which never comes here.
 */

import { readFile } from "node:fs/promises";
import type { Handler } from "hono";
import { AppError } from "../../lib/errors.ts";
import { handOutBundle } from "../../service/node/hand-out-bundle.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";

/** GET /api/v1/ca */
export function apiShowAuthority({ caCertificate }: AdminDeps): Handler<AdminEnv> {
  return async function showAuthority(c) {
    if (caCertificate === undefined) throw new AppError("not-found", "this site has no authority of its own");
    c.header("Content-Type", "application/x-pem-file");
    return c.body(await readFile(caCertificate, "utf8"));
  };
}

/** Guesses of 128 random bits are hopeless in any case; this spares the database, and one asker shuts nobody else out. */
const MOST_A_MINUTE = 300;
const MOST_OF_ONE = 15;

/** POST /api/v1/join/:id */
export function apiJoin(deps: AdminDeps): Handler<AdminEnv> {
  let minute = 0;
  let asked = 0;
  const askedBy = new Map<string, number>();
  return async function handOut(c) {
    const now = Math.floor(deps.clock.monotonicMs() / 60_000);
    const origin = c.env.address ?? "unknown";
    if (now !== minute) {
      [minute, asked] = [now, 0];
      askedBy.clear();
    }
    const ofOne = (askedBy.get(origin) ?? 0) + 1;
    if (ofOne > MOST_OF_ONE || asked >= MOST_A_MINUTE)
      throw new AppError("unavailable", "too many boxes ask at once; try again in a minute");
    asked++;
    askedBy.set(origin, ofOne);
    const context = { db: deps.db, actor: { kind: "system", what: "join" }, origin } as const;
    const { sealed } = await handOutBundle(context, { id: c.req.param("id") ?? "" });
    return c.body(new Uint8Array(sealed), 200, { "Content-Type": "application/octet-stream" });
  };
}
