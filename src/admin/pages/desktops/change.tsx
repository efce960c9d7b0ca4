/** GET and POST /desktops/:id/change. */

import type { Handler } from "hono";
import type { DesktopRow } from "../../../db/queries/desktops.ts";
import { readOsf } from "../../../db/queries/osfs.ts";
import { changeVm } from "../../../service/vm/change.ts";
import { SuggestField, TextField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { readDesktopOf } from "./read.ts";

export function showChangeDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    const vm = await readDesktopOf(deps, c);
    return renderForm(deps, c, vm, { values: { name: vm.name, diTag: vm.tag }, errors: {} });
  };
}

export function changeDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const vm = await readDesktopOf(deps, c);
    const { csrf: _, ...values } = await readForm(c);
    try {
      await changeVm(contextOf(deps, c), { vmId: vm.id, name: values.name, diTag: values.diTag });
      deps.wake("vm", vm.id);
      return redirectTo(c, `/desktops/${vm.id}`, {
        tone: "good",
        text: "Changed. A new tag holds from the next start.",
      });
    } catch (error) {
      return renderForm(deps, c, vm, refusedForm(error, values));
    }
  };
}

async function renderForm(deps: AdminDeps, c: AdminContext, vm: DesktopRow, form: FormState) {
  const osf = await readOsf(deps.db, vm.osfId, vm.tenantId);
  const { values, errors } = form;
  const status = Object.keys(errors).length > 0 ? 422 : 200;
  return renderPage(
    c,
    { title: `Change ${vm.name}`, section: "desktops", status },
    <FormPage
      title={`Change ${vm.name}`}
      back={{ href: `/desktops/${vm.id}`, text: vm.name }}
      action={`/desktops/${vm.id}/change`}
      csrf={c.get("signedIn").csrfToken}
      submit="Save"
      error={errors[""]}
    >
      <TextField name="name" label="Name" value={values.name} error={errors.name} isRequired isFirst />
      <SuggestField
        name="diTag"
        label="Image tag"
        hint={`Which image of ${vm.osf} it runs, from its next start on.`}
        value={values.diTag}
        error={errors.diTag}
        choices={osf?.tags ?? []}
        isRequired
      />
    </FormPage>,
  );
}
