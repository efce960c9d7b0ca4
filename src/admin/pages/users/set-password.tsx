/** GET and POST /users/:id/password. */

import type { Handler } from "hono";
import type { UserRow } from "../../../db/queries/users.ts";
import { setUserPassword } from "../../../service/user/set-password.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { requireSamePassword } from "./create.tsx";
import { NewPasswordFields } from "./password-fields.tsx";
import { readUserOf } from "./read.ts";

export function showSetPassword(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(c, await readUserOf(deps, c), EMPTY_FORM);
  };
}

export function setPassword(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const user = await readUserOf(deps, c);
    const values = await readForm(c);
    try {
      requireSamePassword(values);
      await setUserPassword(contextOf(deps, c), deps, { userId: user.id, password: values.password ?? "" });
      return redirectTo(c, `/users/${user.id}`, {
        tone: "good",
        text: "The new password holds from now on.",
      });
    } catch (error) {
      return renderForm(c, user, refusedForm(error, {}));
    }
  };
}

function renderForm(c: AdminContext, user: UserRow, form: FormState) {
  const title = `Set the password of ${user.login}`;
  return renderPage(
    c,
    { title, section: "users", status: Object.keys(form.errors).length > 0 ? 422 : 200 },
    <FormPage
      title={title}
      back={{ href: `/users/${user.id}`, text: user.login }}
      action={`/users/${user.id}/password`}
      csrf={c.get("signedIn").csrfToken}
      submit="Set the password"
      error={form.errors[""]}
    >
      <NewPasswordFields errors={form.errors} />
    </FormPage>,
  );
}
