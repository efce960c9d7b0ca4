/** GET and POST /users/:id/second-factor: the secret of an authenticator app that somebody brings from QVD 4. */

import type { Handler } from "hono";
import type { UserRow } from "../../../db/queries/users.ts";
import { setUserSecondFactor } from "../../../service/user/set-second-factor.ts";
import { TextField } from "../../../ui/field.tsx";
import { askSealedSecondFactor } from "../../auth-administration.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { readUserOf } from "./read.ts";

export function showSetSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(c, await readUserOf(deps, c), EMPTY_FORM);
  };
}

export function setSecondFactor(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const user = await readUserOf(deps, c);
    const { secret = "" } = await readForm(c);
    const sealSecondFactor = (text: string) => askSealedSecondFactor(deps, c, text);
    try {
      await setUserSecondFactor(contextOf(deps, c), { sealSecondFactor }, { userId: user.id, secret });
      deps.live.notice();
      return redirectTo(c, `/users/${user.id}`, {
        tone: "good",
        text: "The codes of their app count from now on. They make recovery codes for themselves on the portal.",
      });
    } catch (error) {
      // The secret is typed again, as a password is.
      return renderForm(c, user, refusedForm(error, {}));
    }
  };
}

function renderForm(c: AdminContext, user: UserRow, { errors }: FormState) {
  const title = `Set the second factor of ${user.login}`;
  return renderPage(
    c,
    { title, section: "users", status: Object.keys(errors).length > 0 ? 422 : 200 },
    <FormPage
      title={title}
      lead="For somebody who comes from QVD 4: the app on their phone goes on as it is. Whoever begins afresh sets one up on the portal, where they see a code to scan."
      back={{ href: `/users/${user.id}`, text: user.login }}
      action={`/users/${user.id}/second-factor`}
      csrf={c.get("signedIn").csrfToken}
      submit="Set the second factor"
      error={errors[""]}
    >
      <TextField
        name="secret"
        label="Secret of their app"
        type="password"
        autocomplete="new-password"
        hint="In base 32, as QVD 4 kept it in the user's property l7r.auth.plugin.totp.secret32. Nobody is shown it again."
        error={errors.secret}
        isRequired
        isFirst
      />
    </FormPage>,
  );
}
