/** GET /images/osf/new, POST /images/osf; GET and POST /images/osf/:id/change. */

import type { Handler } from "hono";
import type { Child } from "hono/jsx";
import { readOsf } from "../../../db/queries/osfs.ts";
import { listTenants } from "../../../db/queries/tenants.ts";
import type { OsfId } from "../../../domain/ids.ts";
import { proposedLimits, withoutProposals } from "../../../domain/image/usual-limits.ts";
import { changeOsf } from "../../../service/osf/change.ts";
import { createOsf } from "../../../service/osf/create.ts";
import { TextField } from "../../../ui/field.tsx";
import { unparsed } from "../../api/body.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { found, idParam, tenantOf } from "../../visible.ts";
import { TenantField } from "../tenant-field.tsx";
import { HypervisorField, POLICY_DEFAULTS, PolicyFields, policyOf, policyValues } from "./flavour-policy.tsx";

const DEFAULTS = { memoryMb: "1024", cpus: "2", ...POLICY_DEFAULTS, ...proposedLimits() };

export function showCreateFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return function showForm(c) {
    return renderCreate(deps, c, { values: DEFAULTS, errors: {} });
  };
}

export function createFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const { csrf: _, ...values } = await readForm(c);
    try {
      const { tenantId = "", name = "", memoryMb, cpus } = values;
      const created = await createOsf(
        contextOf(deps, c),
        unparsed({ tenantId, name, memoryMb, cpus, ...policyOf(withoutProposals(values)) }),
      );
      deps.live.notice();
      const flash = { tone: "good", text: `Created ${name}. Add its first image.` } as const;
      return redirectTo(c, `/images/new?osf=${created.osfId}`, flash);
    } catch (error) {
      return renderCreate(deps, c, refusedForm(error, values));
    }
  };
}

export function showChangeFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    const osf = found(await readOsf(deps.db, idParam<OsfId>(c, "OS flavour"), tenantOf(c)), "OS flavour");
    const sizes = { memoryMb: String(osf.memoryMb), cpus: String(osf.cpus) };
    const values = { name: osf.name, ...sizes, ...policyValues(osf) };
    return renderChange(c, osf.id, { values, errors: {} });
  };
}

export function changeFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const osfId = idParam<OsfId>(c, "OS flavour");
    const { csrf: _, ...values } = await readForm(c);
    try {
      const { name, memoryMb, cpus } = values;
      const fields = { osfId, name, memoryMb, cpus, ...policyOf(values) };
      await changeOsf(contextOf(deps, c), unparsed(fields));
      deps.live.notice();
      return redirectTo(c, "/images", {
        tone: "good",
        text: "Changed. It holds from each desktop's next start.",
      });
    } catch (error) {
      return renderChange(c, osfId, refusedForm(error, values));
    }
  };
}

async function renderCreate(deps: AdminDeps, c: AdminContext, form: FormState) {
  const tenants = await listTenants(deps.db, tenantOf(c));
  const tenant = <TenantField tenants={tenants} value={form.values.tenantId} error={form.errors.tenantId} />;
  const words = {
    title: "Create an OS flavour",
    lead: "What its desktops get, and what it promises them. Its images are added afterwards.",
    submit: "Create the flavour",
    action: "/images/osf",
  };
  return renderForm(c, form, words, tenant);
}

function renderChange(c: AdminContext, osfId: OsfId, form: FormState) {
  const words = {
    title: "Change the OS flavour",
    lead: "What its desktops get from their next start on, and what it promises them.",
    submit: "Save",
    action: `/images/osf/${osfId}/change`,
  };
  return renderForm(c, form, words, null);
}

function renderForm(
  c: AdminContext,
  form: FormState,
  words: { readonly title: string; readonly lead: string; readonly submit: string; readonly action: string },
  tenant: Child,
) {
  const { values, errors } = form;
  return renderPage(
    c,
    { title: words.title, section: "images", status: Object.keys(errors).length > 0 ? 422 : 200 },
    <FormPage
      {...words}
      back={{ href: "/images", text: "Images" }}
      csrf={c.get("signedIn").csrfToken}
      error={errors[""]}
    >
      {tenant}
      <TextField name="name" label="Name" value={values.name} error={errors.name} isRequired isFirst />
      <div class="form-pair">
        <TextField
          name="memoryMb"
          label="Memory of a desktop, in MB"
          type="number"
          min="64"
          max="1048576"
          value={values.memoryMb}
          error={errors.memoryMb}
          isRequired
        />
        <TextField
          name="cpus"
          label="CPUs of a desktop"
          type="number"
          min="0.1"
          max="256"
          step="0.1"
          value={values.cpus}
          error={errors.cpus}
          isRequired
        />
      </div>
      <HypervisorField form={form} />
      <PolicyFields form={form} />
    </FormPage>,
  );
}
