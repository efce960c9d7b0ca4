/** The frame of users' pages: brand, who is signed in, the way out. */

import type { Child } from "hono/jsx";
import { ButtonLink, SubmitButton } from "../../ui/button.tsx";
import { Document } from "../../ui/document.tsx";
import { PostForm } from "../../ui/form.tsx";
import { Icon } from "../../ui/icons.tsx";
import { MAIN_ID } from "../../ui/ids.ts";
import type { GatewayContext } from "./env.ts";

export function renderUserPage(
  c: GatewayContext,
  title: string,
  content: Child,
  status: 200 | 403 | 404 | 422 | 503 = 200,
): Response | Promise<Response> {
  const { actor, csrfToken } = c.get("signedIn");
  return c.html(
    <Document title={title} theme="auto" assets={c.get("assets")}>
      <a class="skip-link" href={`#${MAIN_ID}`}>
        Skip to the content
      </a>
      <div class="portal">
        <header class="portal-top">
          <a class="brand" href="/">
            <Icon name="brand" size={26} />
            QVD
          </a>
          <div class="portal-account">
            <span class="portal-name">{actor.login}</span>
            <ButtonLink href="/second-factor" label="Second factor" icon="key" kind="quiet" isIconOnly />
            <PostForm action="/sign-out" csrf={csrfToken} isBare>
              <SubmitButton label="Sign out" icon="sign-out" kind="quiet" isIconOnly />
            </PostForm>
          </div>
        </header>
        <main id={MAIN_ID} class="portal-main" tabindex={-1}>
          {content}
        </main>
      </div>
    </Document>,
    status,
  );
}
