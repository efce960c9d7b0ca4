/** GET /desktops/new and POST /desktops. */

import type { Handler } from "hono";
import { listOsfs, type OsfRow } from "../../../db/queries/osfs.ts";
import { listUserChoices, readUser } from "../../../db/queries/users.ts";
import { parseId, type UserId } from "../../../domain/ids.ts";
import { createVm } from "../../../service/vm/create.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { type Choice, SelectField, SuggestField, TextField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";

const TITLE = "Create a desktop";
const BACK = { href: "/desktops", text: "Desktops" };

export function showCreateDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    const wanted = parseId<UserId>(c.req.query("user") ?? "");
    const user = wanted === undefined ? undefined : await readUser(deps.db, wanted, tenantOf(c));
    const values = user === undefined ? {} : { userId: String(user.id), name: `${user.login}-desk` };
    return renderForm(deps, c, { ...EMPTY_FORM, values });
  };
}

export function createDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const { csrf: _, ...values } = await readForm(c);
    try {
      const { name = "", userId = "", osfId = "", diTag = "" } = values;
      const input = { name, userId, osfId, ...(diTag === "" ? {} : { diTag }) };
      const created = await createVm(contextOf(deps, c), deps, input);
      deps.wake("vm", created.vmId);
      return redirectTo(c, `/desktops/${created.vmId}`, {
        tone: "good",
        text: `Created, with the address ${created.address}.`,
      });
    } catch (error) {
      return renderForm(deps, c, refusedForm(error, values));
    }
  };
}

async function renderForm(deps: AdminDeps, c: AdminContext, form: FormState) {
  const tenantId = tenantOf(c);
  const [users, osfs] = await Promise.all([
    listUserChoices(deps.db, tenantId),
    listOsfs(deps.db, { tenantId }),
  ]);
  const status = Object.keys(form.errors).length > 0 ? 422 : 200;
  const options = { title: TITLE, section: "desktops", status } as const;
  if (users.length === 0 || osfs.length === 0) {
    return renderPage(c, options, <Missing hasUsers={users.length > 0} />);
  }
  const hasTenants = await seesTenants(deps, c);
  const nameOf = (name: string, tenant: string) => (hasTenants ? `${name} (${tenant})` : name);
  const choices = {
    users: users.map((user) => ({ value: String(user.id), text: nameOf(user.login, user.tenant) })),
    flavours: osfs.map((osf) => ({ value: String(osf.id), text: nameOf(osf.name, osf.tenant) })),
    tags: tagsOf(osfs),
  };
  return renderPage(
    c,
    options,
    <CreateForm form={form} choices={choices} csrf={c.get("signedIn").csrfToken} />,
  );
}

function CreateForm(props: {
  readonly form: FormState;
  readonly choices: {
    readonly users: readonly Choice[];
    readonly flavours: readonly Choice[];
    readonly tags: readonly string[];
  };
  readonly csrf: string;
}) {
  const { choices, csrf } = props;
  const { values, errors } = props.form;
  const lead = "It gets an address for life and a home that is kept through every change of image.";
  const form = { title: TITLE, lead, back: BACK, action: "/desktops", csrf, submit: "Create the desktop" };
  const flavour = values.osfId ?? onlyValue(choices.flavours);
  return (
    <FormPage {...form} error={errors[""]}>
      <SelectField
        name="userId"
        label="User"
        choices={choices.users}
        value={values.userId}
        error={errors.userId}
        prompt="Choose…"
        isRequired
      />
      <TextField
        name="name"
        label="Name"
        value={values.name}
        error={errors.name}
        hint="How the user recognises it in their client."
        isRequired
      />
      <SelectField
        name="osfId"
        label="OS flavour"
        choices={choices.flavours}
        value={flavour}
        error={errors.osfId}
        prompt="Choose…"
        isRequired
      />
      <SuggestField
        name="diTag"
        label="Image tag"
        value={values.diTag ?? "default"}
        error={errors.diTag}
        choices={choices.tags}
        hint="It runs the image that has this tag when it starts."
        isRequired
      />
    </FormPage>
  );
}

function onlyValue(choices: readonly Choice[]): string | undefined {
  return choices.length === 1 ? choices[0]?.value : undefined;
}

function tagsOf(osfs: readonly OsfRow[]): readonly string[] {
  return [...new Set(osfs.flatMap((osf) => osf.tags))].sort().slice(0, 100);
}

/** A desktop needs both; without them the form would only refuse. */
function Missing(props: { readonly hasUsers: boolean }) {
  return (
    <>
      <PageHead title={TITLE} back={BACK} />
      <Card>
        {props.hasUsers ? (
          <Empty
            icon="image"
            title="First an OS flavour"
            text="A desktop is made of an OS flavour and runs one of its images. There is none yet."
            actions={
              <ButtonLink href="/images/osf/new" label="Create an OS flavour" icon="plus" kind="main" />
            }
          />
        ) : (
          <Empty
            icon="users"
            title="First a user"
            text="A desktop belongs to a user, and there is none yet that isn't blocked."
            actions={<ButtonLink href="/users/new" label="Create a user" icon="plus" kind="main" />}
          />
        )}
      </Card>
    </>
  );
}
