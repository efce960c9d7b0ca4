/** GET and POST /sign-in. The form is tied to the browser by a cookie, as there is no session to tie it to yet. */

import type { Handler } from "hono";
import { readGateToken, writeGateToken, writeSessionToken } from "../../cookies.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm } from "../../form.ts";
import { requireOwnOrigin, requireToken } from "../../middleware/csrf.ts";
import { localPath } from "../../redirect.ts";
import { signInAdministrator } from "../../sign-in.ts";
import { SubmitButton } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { TextField } from "../../ui/field.tsx";
import { CSRF_FIELD, PostForm } from "../../ui/form.tsx";
import { Gate } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";

export function showSignIn(deps: AdminDeps): Handler<AdminEnv> {
  return function showForm(c) {
    return renderForm(deps, c, EMPTY_FORM);
  };
}

export function signIn(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const values = await readForm(c);
    requireOwnOrigin(c);
    requireToken(values[CSRF_FIELD], readGateToken(c));
    const outcome = await signInAdministrator(deps, c, {
      login: values.login ?? "",
      password: values.password ?? "",
    });
    if (outcome.kind === "refused") {
      return renderForm(
        deps,
        c,
        { values: { login: values.login ?? "" }, errors: { "": outcome.text } },
        outcome.status,
      );
    }
    writeSessionToken(c, outcome.token);
    return c.redirect(localPath(c.req.query("next"), "/"), 303);
  };
}

function renderForm(deps: AdminDeps, c: AdminContext, form: FormState, status: 200 | 401 | 503 = 200) {
  const token = readGateToken(c) ?? deps.randomToken();
  writeGateToken(c, token);
  const next = localPath(c.req.query("next"), "/");
  return c.html(
    <Gate title="Sign in to QVD" theme={c.get("theme")} assets={c.get("assets")}>
      <Card>
        <PostForm
          action={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`}
          csrf={token}
        >
          {form.errors[""] ? <Notice tone="bad">{form.errors[""]}</Notice> : null}
          <TextField
            name="login"
            label="Login"
            hint="Administrators of one tenant add it: name@tenant."
            value={form.values.login}
            autocomplete="username"
            isRequired
            isFirst
          />
          <TextField
            name="password"
            label="Password"
            type="password"
            autocomplete="current-password"
            isRequired
          />
          <SubmitButton label="Sign in" kind="main" isWide />
        </PostForm>
      </Card>
    </Gate>,
    status,
  );
}
