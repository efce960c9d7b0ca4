/** GET and POST /users/:id/change. */

import type { Handler } from "hono";
import type { UserRow } from "../../../db/queries/users.ts";
import { changeUser } from "../../../service/user/change.ts";
import { TextField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { readUserOf } from "./read.ts";

export function showChangeUser(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    const user = await readUserOf(deps, c);
    return renderForm(c, user, { values: { fullName: user.fullName }, errors: {} });
  };
}

export function changeUserPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const user = await readUserOf(deps, c);
    const { csrf: _, ...values } = await readForm(c);
    try {
      await changeUser(contextOf(deps, c), { userId: user.id, fullName: values.fullName ?? "" });
      return redirectTo(c, `/users/${user.id}`, { tone: "good", text: "Changed." });
    } catch (error) {
      return renderForm(c, user, refusedForm(error, values));
    }
  };
}

function renderForm(c: AdminContext, user: UserRow, form: FormState) {
  const { values, errors } = form;
  return renderPage(
    c,
    { title: `Change ${user.login}`, section: "users", status: Object.keys(errors).length > 0 ? 422 : 200 },
    <FormPage
      title={`Change ${user.login}`}
      back={{ href: `/users/${user.id}`, text: user.login }}
      action={`/users/${user.id}/change`}
      csrf={c.get("signedIn").csrfToken}
      submit="Save"
      error={errors[""]}
    >
      <TextField
        name="fullName"
        label="Full name"
        hint="The login stays for life."
        value={values.fullName}
        error={errors.fullName}
        isFirst
      />
    </FormPage>,
  );
}
