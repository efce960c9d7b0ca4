/** GET and POST /images/:id/retire. */

import type { Handler } from "hono";
import type { ImageRow } from "../../../db/queries/images.ts";
import { retireImage } from "../../../service/image/retire.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { wakeForTags } from "../../wake-for-tags.ts";
import { readImageOf } from "./read.ts";

export function showRetireImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    return renderQuestion(c, await readImageOf(deps, c), undefined);
  };
}

export function retireImagePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeRetire(c) {
    const image = await readImageOf(deps, c);
    try {
      await retireImage(contextOf(deps, c), { diId: image.id });
    } catch (error) {
      return renderQuestion(c, image, refusedForm(error, EMPTY_FORM.values).errors[""]);
    }
    wakeForTags(deps);
    const text = `Retired: no desktop starts from version ${image.version} any more.`;
    return redirectTo(c, `/images/${image.id}`, { tone: "good", text });
  };
}

function renderQuestion(c: AdminContext, image: ImageRow, error: string | undefined) {
  const name = `${image.osf} ${image.version}`;
  return renderPage(
    c,
    { title: `Retire ${name}`, section: "images", status: error === undefined ? 200 : 409 },
    <FormPage
      title={`Retire ${name}?`}
      back={{ href: `/images/${image.id}`, text: name }}
      action={`/images/${image.id}/retire`}
      csrf={c.get("signedIn").csrfToken}
      submit="Retire it"
      error={error}
    >
      <p>
        Its tags head and default go to the version that was published before it. Desktops that run on it go
        on; the file stays, and publishing it again brings it back.
      </p>
    </FormPage>,
  );
}
