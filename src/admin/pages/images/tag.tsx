/** GET and POST /images/:id/tag, and POST /images/:id/untag. */

import type { Handler } from "hono";
import type { ImageRow } from "../../../db/queries/images.ts";
import { readOsf } from "../../../db/queries/osfs.ts";
import type { DiId } from "../../../domain/ids.ts";
import { moveTag } from "../../../service/image/move-tag.ts";
import { removeTag } from "../../../service/image/remove-tag.ts";
import { SuggestField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { executeAndReturn, redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { idParam } from "../../visible.ts";
import { wakeForTags } from "../../wake-for-tags.ts";
import { readImageOf } from "./read.ts";

export function showTagImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(deps, c, await readImageOf(deps, c), EMPTY_FORM);
  };
}

export function tagImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const image = await readImageOf(deps, c);
    const { csrf: _, ...values } = await readForm(c);
    const tag = values.tag ?? "";
    try {
      await moveTag(contextOf(deps, c), { diId: image.id, tag });
      wakeForTags(deps);
      const text = `Tag ${tag} is now on version ${image.version}. Desktops that follow it take it at their next start.`;
      return redirectTo(c, `/images/${image.id}`, { tone: "good", text });
    } catch (error) {
      return renderForm(deps, c, image, refusedForm(error, values));
    }
  };
}

export function untagImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeUntag(c) {
    const { tag = "" } = await readForm(c);
    return executeAndReturn(c, { fallback: "/images", done: `Removed tag ${tag}.` }, async () => {
      await removeTag(contextOf(deps, c), { diId: idParam<DiId>(c, "image"), tag });
      deps.wake("image");
    });
  };
}

function unreadyText(image: ImageRow): string | undefined {
  if (image.state === "ready") return undefined;
  return image.state === "failed"
    ? `This image can't be used, so no tag can be put on it. ${image.fault ?? ""}`
    : "This image is not verified yet; put a tag on it when it is ready.";
}

async function renderForm(deps: AdminDeps, c: AdminContext, image: ImageRow, form: FormState) {
  const osf = await readOsf(deps.db, image.osfId, image.tenantId);
  const own = new Set(image.tags.map(({ tag }) => tag));
  const title = `Put a tag on ${image.osf} ${image.version}`;
  return renderPage(
    c,
    { title, section: "images", status: Object.keys(form.errors).length > 0 ? 422 : 200 },
    <FormPage
      title={title}
      lead="A tag is on one version at a time. Moving it here rolls this version out; moving it back rolls it back."
      back={{ href: `/images/${image.id}`, text: `${image.osf} ${image.version}` }}
      action={`/images/${image.id}/tag`}
      csrf={c.get("signedIn").csrfToken}
      submit="Move the tag here"
      error={form.errors[""] ?? unreadyText(image)}
    >
      <SuggestField
        name="tag"
        label="Tag"
        hint="Desktops follow the tag default unless they name another."
        value={form.values.tag ?? (own.has("default") ? "" : "default")}
        error={form.errors.tag}
        choices={(osf?.tags ?? []).filter((tag) => !own.has(tag))}
        isRequired
        isFirst
      />
    </FormPage>,
  );
}
