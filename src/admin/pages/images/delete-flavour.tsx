/** GET and POST /images/osf/:id/delete. */

import type { Handler } from "hono";
import { type OsfRow, readOsf } from "../../../db/queries/osfs.ts";
import type { OsfId } from "../../../domain/ids.ts";
import { deleteOsf } from "../../../service/osf/delete.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { refusedForm } from "../../form.ts";
import { hurdleOf } from "../../hurdle.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { found, idParam, tenantOf } from "../../visible.ts";

export function showDeleteFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    const osf = await readFlavour(deps, c);
    const hurdle = await hurdleOf(contextOf(deps, c), (inside) => deleteOsf(inside, { osfId: osf.id }));
    return renderQuestion(c, osf, { hurdle });
  };
}

export function deleteFlavour(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDelete(c) {
    const osf = await readFlavour(deps, c);
    try {
      await deleteOsf(contextOf(deps, c), { osfId: osf.id });
    } catch (error) {
      return renderQuestion(c, osf, { error: refusedForm(error, {}).errors[""] });
    }
    deps.live.notice();
    return redirectTo(c, "/images", { tone: "good", text: `Deleted the OS flavour ${osf.name}.` });
  };
}

async function readFlavour(deps: AdminDeps, c: AdminContext): Promise<OsfRow> {
  return found(await readOsf(deps.db, idParam<OsfId>(c, "OS flavour"), tenantOf(c)), "OS flavour");
}

function renderQuestion(
  c: AdminContext,
  osf: OsfRow,
  { hurdle, error }: { readonly hurdle?: string | undefined; readonly error?: string | undefined },
) {
  return renderPage(
    c,
    { title: `Delete ${osf.name}`, section: "images", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Delete ${osf.name}?`}
      back={{ href: "/images", text: "Images" }}
      action={`/images/osf/${osf.id}/delete`}
      csrf={c.get("signedIn").csrfToken}
      label="Delete the OS flavour"
      hurdle={hurdle}
      error={error}
    >
      <p>The flavour and its properties go. This can't be undone.</p>
      <p>A flavour that has images or desktops is not deleted.</p>
    </Confirm>,
  );
}
