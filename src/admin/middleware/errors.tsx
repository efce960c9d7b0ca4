/** What a person sees when something went wrong: the sentence, what can be done, and never a stack. */

import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isDatabaseAway } from "../../db/errors.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Empty } from "../../ui/empty.tsx";
import { HTTP_STATUSES } from "../../ui/http-status.ts";
import { Notice } from "../../ui/notice.tsx";
import type { AdminContext, AdminEnv } from "../env.ts";
import { capitalize } from "../form.ts";
import { renderPage } from "../render.tsx";
import { Gate } from "../ui/layout.tsx";

export function answerErrors(log: Log): ErrorHandler<AdminEnv> {
  return function answerError(error, c) {
    const known = understand(error);
    if (known === undefined) log.error("request-failed", { method: c.req.method, path: c.req.path, error });
    const said = known ?? {
      status: 500 as const,
      code: "internal",
      message: "Something broke on our side; the log of `qvd admin run` says what.",
    };
    if (c.req.path.startsWith("/api/") || wantsJson(c)) {
      const field = isAppError(error) && error.field !== undefined ? { field: error.field } : {};
      return c.json({ error: { code: said.code, message: said.message, ...field } }, said.status);
    }
    return renderError(c, said.status, capitalize(said.message));
  };
}

type Said = { readonly status: ContentfulStatusCode; readonly code: string; readonly message: string };

function understand(error: unknown): Said | undefined {
  if (isAppError(error))
    return { status: HTTP_STATUSES[error.code], code: error.code, message: error.message };
  if (isDatabaseAway(error)) {
    const away = new AppError("database-away", "The database can't be reached; it is tried again by itself.");
    return { status: 503, code: away.code, message: away.message };
  }
  if (error instanceof HTTPException) {
    return {
      status: error.status as ContentfulStatusCode,
      code: "bad-input",
      message: error.message || "This request is not right.",
    };
  }
  return undefined;
}

function wantsJson(c: AdminContext): boolean {
  return c.req.method === "PUT";
}

const TITLES: Partial<Record<number, string>> = {
  403: "Not allowed",
  404: "Not found",
  409: "Not possible now",
  413: "Too much",
  422: "Not right",
  503: "Not available",
};

function renderError(
  c: AdminContext,
  status: ContentfulStatusCode,
  message: string,
): Response | Promise<Response> {
  const title = TITLES[status] ?? "Something went wrong";
  // Before or while finding out who asks, there is no frame to show.
  if (c.get("signedIn") === undefined) {
    return c.html(
      <Gate title={title} theme={c.get("theme") ?? "auto"} assets={c.get("assets")}>
        <Notice tone="bad">{message}</Notice>
      </Gate>,
      status,
    );
  }
  return renderPage(
    c,
    { title, section: undefined, status },
    <Card>
      <Empty
        icon="alert"
        title={title}
        text={message}
        level={1}
        actions={<ButtonLink href="/" label="To the overview" kind="main" />}
      />
    </Card>,
  );
}

/** For addresses that lead nowhere. */
export function answerNotFound(c: AdminContext): Response | Promise<Response> {
  if (c.req.path.startsWith("/api/")) {
    return c.json(
      { error: { code: "not-found", message: `There is no ${c.req.method} ${c.req.path}.` } },
      404,
    );
  }
  return renderError(c, 404, "There is no page at this address.");
}
