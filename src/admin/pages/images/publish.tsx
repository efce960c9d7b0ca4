/** GET and POST /images/:id/publish: which tags it gets, and what that means for desktops that run. */

import type { Handler } from "hono";
import type { ImageRow } from "../../../db/queries/images.ts";
import { type OsfRow, readOsf } from "../../../db/queries/osfs.ts";
import { publishImage } from "../../../service/image/publish.ts";
import { SelectField, TextField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { formatDuration } from "../../ui/moment.tsx";
import { wakeForTags } from "../../wake-for-tags.ts";
import { readImageOf } from "./read.ts";

export function showPublishImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(deps, c, await readImageOf(deps, c), EMPTY_FORM);
  };
}

export function publishImagePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const image = await readImageOf(deps, c);
    const { csrf: _, ...values } = await readForm(c);
    const named = (values.tags ?? "").split(/[\s,]+/).filter((tag) => tag !== "");
    const tags = values.default === "move" ? ["default", ...named] : named;
    try {
      const published = await publishImage(contextOf(deps, c), { diId: image.id, tags });
      wakeForTags(deps);
      const text = `Version ${image.version} is published, with the tags ${published.tags.join(", ")}.`;
      return redirectTo(c, `/images/${image.id}`, { tone: "good", text });
    } catch (error) {
      return renderForm(deps, c, image, refusedForm(error, values));
    }
  };
}

async function renderForm(deps: AdminDeps, c: AdminContext, image: ImageRow, form: FormState) {
  const osf = await readOsf(deps.db, image.osfId, image.tenantId);
  const title = `Publish ${image.osf} ${image.version}`;
  const back = { href: `/images/${image.id}`, text: `${image.osf} ${image.version}` };
  return renderPage(
    c,
    { title, section: "images", status: Object.keys(form.errors).length > 0 ? 422 : 200 },
    <FormPage
      title={title}
      lead="It becomes the newest version of its flavour: the tag head moves to it, and desktops of its tags start from it next."
      back={back}
      action={`/images/${image.id}/publish`}
      csrf={c.get("signedIn").csrfToken}
      submit="Publish it"
      error={form.errors[""] ?? form.errors.tag}
    >
      <SelectField
        name="default"
        label="Desktops that follow the tag default"
        choices={[
          { value: "move", text: "start from it from now on" },
          { value: "keep", text: "stay with the version that they have" },
        ]}
        value={form.values.default ?? "move"}
        hint={expiryText(osf)}
      />
      <TextField
        name="tags"
        label="Further tags"
        value={form.values.tags}
        error={tagError(form)}
        hint="Names between blanks, such as pilot. Each moves here from the version that has it."
      />
    </FormPage>,
  );
}

/** Which of the tags it is about is told by the tag's own text. */
function tagError({ errors }: FormState): string | undefined {
  return Object.entries(errors).find(([name]) => name === "tags" || name.startsWith("tags."))?.[1];
}

function expiryText(osf: OsfRow | undefined): string {
  const soft = osf?.expirySoftSeconds ?? null;
  const hard = osf?.expiryHardSeconds ?? null;
  if (soft === null && hard === null)
    return "Those that run go on until their people stop them; the flavour sets no time.";
  const words = [
    ...(soft === null ? [] : [`are asked to restart after ${formatDuration(soft * 1000)}`]),
    ...(hard === null ? [] : [`are stopped after ${formatDuration(hard * 1000)}`]),
  ];
  return `Those that run on another version ${words.join(" and ")}.`;
}
