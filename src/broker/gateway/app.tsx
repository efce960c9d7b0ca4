/** The users' pages on the QVD port: what holds for every request, then the routes. */

import { type Handler, Hono, type MiddlewareHandler } from "hono";
import { describeError, isAppError } from "../../lib/errors.ts";
import { Gate } from "../../ui/document.tsx";
import { requireOwnOrigin, requireToken } from "../../ui/forgery.ts";
import { CSRF_FIELD } from "../../ui/form.tsx";
import { HTTP_STATUSES } from "../../ui/http-status.ts";
import { Notice } from "../../ui/notice.tsx";
import { requireReadableForm } from "../../ui/readable-form.ts";
import { clearUserToken, readUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
import type { GatewayContext, GatewayEnv } from "./env.ts";
import { gatewayHeaders } from "./headers.ts";
import { beginOidc, endOidc } from "./oidc.tsx";
import { issueTicket, showDesktop } from "./pages/desktop.tsx";
import { listDesktops, showDesktops } from "./pages/desktops.tsx";
import { giveFile, isFilesPath, listFiles, takeFile } from "./pages/files.ts";
import { userSecondFactor } from "./pages/second-factor.tsx";
import { showSignIn, signIn, signInWithSetUp, signOut } from "./pages/sign-in.tsx";
import { showInvitation, showVisit } from "./pages/visit.tsx";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const CSRF_HEADER = "X-CSRF-Token";

export function createGatewayApp(deps: GatewayDeps): Hono<GatewayEnv> {
  const app = new Hono<GatewayEnv>();
  app.use("/*", gatewayHeaders());
  app.use("/*", async function giveAssets(c, next) {
    c.set("assets", deps.assets);
    await next();
  });
  app.use("/*", requireReadableForm(isFilesPath));
  app.onError((error, c) => explain(deps, c, error));
  app.notFound((c) => renderProblem(c, 404, "There is no page at this address."));

  app.get("/static/*", serveAsset(deps));
  app.get("/sign-in", showSignIn(deps));
  app.post("/sign-in", signIn(deps));
  app.post("/sign-in/set-up", signInWithSetUp(deps));
  app.get("/sign-in/oidc/begin", beginOidc(deps, "sign-in"));
  app.get("/sign-in/oidc", endOidc(deps));

  app.get("/visit", showVisit(deps));

  app.use("/*", requireUser(deps));
  app.use("/*", checkForgery());
  app.get("/", showDesktops(deps));
  app.get("/desktops", listDesktops(deps));
  app.get("/desktop/:id", showDesktop(deps));
  app.post("/desktop/:id/ticket", issueTicket(deps));
  app.get("/desktop/:id/files", listFiles(deps));
  app.get("/desktop/:id/files/:name", giveFile(deps));
  app.post("/desktop/:id/files", takeFile(deps));
  app.get("/invitation/:ticket", showInvitation(deps));
  app.get("/unlock/begin", beginOidc(deps, "unlock"));
  const secondFactor = userSecondFactor(deps);
  app.get("/second-factor", secondFactor.show);
  app.post("/second-factor/begin", secondFactor.begin);
  app.post("/second-factor/confirm", secondFactor.confirm);
  app.post("/second-factor/renew", secondFactor.renew);
  app.post("/second-factor/remove", secondFactor.remove);
  app.post("/sign-out", signOut(deps));
  return app;
}

function serveAsset(deps: GatewayDeps): Handler<GatewayEnv> {
  return function sendAsset(c) {
    const asset = deps.assets.files.get(c.req.path);
    if (asset === undefined) return renderProblem(c, 404, "There is no page at this address.");
    return c.body(asset.body, 200, {
      "Content-Type": asset.type,
      "Cache-Control": "public, max-age=31536000, immutable",
    });
  };
}

/** Pages are for those who are signed in; others are sent to the sign-in page. */
function requireUser(deps: GatewayDeps): MiddlewareHandler<GatewayEnv> {
  return async function findUser(c, next) {
    const token = readUserToken(c);
    const found = token === undefined ? undefined : await deps.web.find(token);
    if (token === undefined || found === undefined) return sendToSignIn(c, token);
    c.set("signedIn", { actor: found.actor, csrfToken: found.csrfToken, token });
    await next();
  };
}

function sendToSignIn(c: GatewayContext, token: string | undefined): Response {
  if (token !== undefined) clearUserToken(c);
  const { pathname } = new URL(c.req.url);
  const place = pathname === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(pathname)}`;
  // htmx would follow a redirect into the fragment; this makes the browser go there.
  if (c.req.header("HX-Request")) return c.body(null, 200, { "HX-Redirect": "/sign-in" });
  if (c.req.method === "GET") return c.redirect(place, 303);
  return c.json({ error: { code: "not-signed-in", message: "Your sign-in is over." } }, 401);
}

function checkForgery(): MiddlewareHandler<GatewayEnv> {
  return async function refuseForged(c, next) {
    if (!SAFE_METHODS.has(c.req.method)) {
      requireOwnOrigin(c.req.raw);
      requireToken(await readToken(c), c.get("signedIn").csrfToken);
    }
    await next();
  };
}

async function readToken(c: GatewayContext): Promise<string | undefined> {
  const header = c.req.header(CSRF_HEADER);
  if (header !== undefined) return header;
  // A form is read into memory; files, which may be huge, come with the header.
  if (isFilesPath(c.req.path)) return undefined;
  const type = c.req.header("Content-Type") ?? "";
  if (!/^(application\/x-www-form-urlencoded|multipart\/form-data)/i.test(type)) return undefined;
  const field = (await c.req.parseBody())[CSRF_FIELD];
  return typeof field === "string" ? field : undefined;
}

function explain(deps: GatewayDeps, c: GatewayContext, error: unknown): Response | Promise<Response> {
  if (isAppError(error)) return renderProblem(c, HTTP_STATUSES[error.code], describeError(error));
  deps.log.error("page-failed", { method: c.req.method, path: c.req.path, error });
  return renderProblem(c, 500, "Something broke on our side.");
}

function renderProblem(
  c: GatewayContext,
  status: (typeof HTTP_STATUSES)[keyof typeof HTTP_STATUSES] | 500,
  text: string,
): Response | Promise<Response> {
  if ((c.req.header("Accept") ?? "").includes("application/json"))
    return c.json({ error: { message: text } }, status);
  return c.html(
    <Gate title="QVD" theme="auto" assets={c.get("assets")}>
      <Notice tone="bad">{text}</Notice>
      <p class="gate-way">
        <a href="/">To your desktops</a>
      </p>
    </Gate>,
    status,
  );
}
