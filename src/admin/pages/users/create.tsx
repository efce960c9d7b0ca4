/** GET /users/new and POST /users. */

import type { Handler } from "hono";
import { listTenants } from "../../../db/queries/tenants.ts";
import { AppError } from "../../../lib/errors.ts";
import { createUser } from "../../../service/user/create.ts";
import { TextField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, type FormValues, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { tenantOf } from "../../visible.ts";
import { TenantField } from "../tenant-field.tsx";
import { NewPasswordFields } from "./password-fields.tsx";

export function showCreateUser(deps: AdminDeps): Handler<AdminEnv> {
  return function showForm(c) {
    return renderForm(deps, c, EMPTY_FORM);
  };
}

export function createUserPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const { csrf: _, ...values } = await readForm(c);
    try {
      requireSamePassword(values);
      const { login = "", fullName = "", password = "", tenantId = "" } = values;
      const created = await createUser(contextOf(deps, c), deps, { tenantId, login, fullName, password });
      deps.live.notice();
      return redirectTo(c, `/users/${created.userId}`, {
        tone: "good",
        text: "Created. Give them a desktop next.",
      });
    } catch (error) {
      return renderForm(deps, c, refusedForm(error, values));
    }
  };
}

/** Typed twice, as nobody sees what is typed. */
export function requireSamePassword(values: FormValues): void {
  if (values.password === values.passwordAgain) return;
  throw new AppError("bad-input", "The two passwords differ; type both again.", { field: "passwordAgain" });
}

async function renderForm(deps: AdminDeps, c: AdminContext, form: FormState) {
  const tenants = await listTenants(deps.db, tenantOf(c));
  const { values, errors } = form;
  const title = "Create a user";
  return renderPage(
    c,
    { title, section: "users", status: Object.keys(errors).length > 0 ? 422 : 200 },
    <FormPage
      title={title}
      lead="They sign in with a QVD client and see their desktops."
      back={{ href: "/users", text: "Users" }}
      action="/users"
      csrf={c.get("signedIn").csrfToken}
      submit="Create the user"
      error={errors[""]}
    >
      <TenantField tenants={tenants} value={values.tenantId} error={errors.tenantId} />
      <TextField
        name="login"
        label="Login"
        value={values.login}
        error={errors.login}
        hint="For life: the account inside their desktops carries it."
        isRequired
        isFirst
      />
      <TextField name="fullName" label="Full name" value={values.fullName} error={errors.fullName} />
      <NewPasswordFields errors={errors} />
    </FormPage>,
  );
}
