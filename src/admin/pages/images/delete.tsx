/** GET and POST /images/:id/delete. */

import type { Handler } from "hono";
import type { ImageRow } from "../../../db/queries/images.ts";
import { deleteImage } from "../../../service/image/delete.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { refusedForm } from "../../form.ts";
import { hurdleOf } from "../../hurdle.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { wakeForTags } from "../../wake-for-tags.ts";
import { readImageOf } from "./read.ts";

export function showDeleteImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    const image = await readImageOf(deps, c);
    return renderQuestion(c, image, {
      hurdle: await hurdleOf(contextOf(deps, c), (inside) => deleteImage(inside, { diId: image.id })),
    });
  };
}

export function deleteImagePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDelete(c) {
    const image = await readImageOf(deps, c);
    try {
      await deleteImage(contextOf(deps, c), { diId: image.id });
    } catch (error) {
      return renderQuestion(c, image, { error: refusedForm(error, {}).errors[""] });
    }
    wakeForTags(deps);
    return redirectTo(c, "/images", { tone: "good", text: `Deleted ${image.osf} ${image.version}.` });
  };
}

function renderQuestion(
  c: AdminContext,
  image: ImageRow,
  { hurdle, error }: { readonly hurdle?: string | undefined; readonly error?: string | undefined },
) {
  const name = `${image.osf} ${image.version}`;
  return renderPage(
    c,
    { title: `Delete ${name}`, section: "images", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Delete ${name}?`}
      back={{ href: `/images/${image.id}`, text: `${image.osf} ${image.version}` }}
      action={`/images/${image.id}/delete`}
      csrf={c.get("signedIn").csrfToken}
      label="Delete the image"
      hurdle={hurdle}
      error={error}
    >
      <p>
        The image file and what was unpacked from it go, and its tags head and default go to the version that
        was published before it. This can't be undone.
      </p>
      <p>An image that a desktop runs on is not deleted.</p>
    </Confirm>,
  );
}
