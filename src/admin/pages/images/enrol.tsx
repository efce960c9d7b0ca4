/** GET /images/new and POST /images: sending a file, and enrolling one that is there or lies at an address. */

import type { Handler } from "hono";
import { listOsfs, type OsfRow } from "../../../db/queries/osfs.ts";
import { enrolImage } from "../../../service/image/enrol.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { type FormState, filled, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { type IncomingFile, listIncoming } from "../../upload/list-incoming.ts";
import { tenantOf } from "../../visible.ts";
import { EnrolView } from "./enrol-view.tsx";

export function showEnrolImage(deps: AdminDeps): Handler<AdminEnv> {
  return function showForm(c) {
    const values = filled({ osfId: c.req.query("osf") ?? "", fileName: c.req.query("file") ?? "" });
    return renderForm(deps, c, { values, errors: {} });
  };
}

export function enrolImagePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const { csrf: _, ...values } = await readForm(c);
    try {
      const { osfId = "", fileName = "", ...rest } = values;
      const { version, sha256, sourceUrl } = filled(rest);
      const isFetched = values.from === "url";
      const source = isFetched ? { sourceUrl: sourceUrl ?? "" } : { fileName };
      const enrolled = await enrolImage(contextOf(deps, c), { osfId, ...source, version, sha256 });
      deps.wake("image");
      const doing = isFetched ? "A node fetches and verifies it now" : "A node verifies it now";
      const text = `Added version ${enrolled.version}. ${doing}; publish it when it is ready.`;
      return redirectTo(c, `/images/${enrolled.diId}`, { tone: "good", text });
    } catch (error) {
      return renderForm(deps, c, refusedForm(error, values));
    }
  };
}

async function renderForm(deps: AdminDeps, c: AdminContext, form: FormState) {
  const osfs: readonly OsfRow[] = await listOsfs(deps.db, { tenantId: tenantOf(c) });
  const files: readonly IncomingFile[] = await listIncoming(deps.incomingFolder, tenantOf(c));
  return renderPage(
    c,
    { title: "Add an image", section: "images", status: Object.keys(form.errors).length > 0 ? 422 : 200 },
    <EnrolView osfs={osfs} files={files} form={form} csrf={c.get("signedIn").csrfToken} />,
  );
}
