/** Renders a page inside its frame: what the frame shows comes from the request, not from each handler. */

import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isOfSite } from "../domain/access/decide-access.ts";
import { takeFlash } from "./cookies.ts";
import type { AdminContext } from "./env.ts";
import { type Frame, Page, type Section } from "./ui/layout.tsx";

export type PageOptions = {
  readonly title: string;
  readonly section: Section | undefined;
  readonly isLive?: boolean;
  readonly status?: ContentfulStatusCode;
};

export function renderPage(
  c: AdminContext,
  options: PageOptions,
  content: Child,
): Response | Promise<Response> {
  const { status, ...page } = options;
  return c.html(
    <Page frame={frameOf(c)} {...page}>
      {content}
    </Page>,
    status ?? 200,
  );
}

function frameOf(c: AdminContext): Frame {
  const { actor, csrfToken } = c.get("signedIn");
  const url = new URL(c.req.url);
  return {
    assets: c.get("assets"),
    theme: c.get("theme"),
    // A page shown in answer to a form lives at the form's address, which can't be gone back to.
    path: c.req.method === "GET" ? url.pathname + url.search : "/",
    csrf: csrfToken,
    login: actor.login,
    tenantName: actor.tenantName,
    isSite: isOfSite(actor),
    flash: takeFlash(c),
  };
}
