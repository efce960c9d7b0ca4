/** The app: what holds for every request, then the routes. */

import { Hono } from "hono";
import { readTheme } from "./cookies.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminEnv } from "./env.ts";
import { answerErrors, answerNotFound } from "./middleware/errors.tsx";
import { requestLog } from "./middleware/request-log.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { addRoutes } from "./routes.ts";
import { loadAssets } from "./ui/assets.ts";

export function createApp(deps: AdminDeps): Hono<AdminEnv> {
  const assets = loadAssets();
  const app = new Hono<AdminEnv>();
  app.use("/*", requestLog(deps.log, deps.clock), securityHeaders(deps));
  app.use("/*", async function readLook(c, next) {
    c.set("assets", assets.urls);
    c.set("theme", readTheme(c));
    await next();
  });
  app.onError(answerErrors(deps.log));
  app.notFound(answerNotFound);
  addRoutes(app, deps, assets);
  return app;
}
