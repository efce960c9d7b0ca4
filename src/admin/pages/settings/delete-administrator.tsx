/** GET and POST /settings/administrators/:id/delete. */

import type { Handler } from "hono";
import { type AdministratorRow, listAdministrators } from "../../../db/queries/administrators.ts";
import type { AdministratorId } from "../../../domain/ids.ts";
import { deleteAdministrator } from "../../../service/administrator/delete.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { found, idParam, tenantOf } from "../../visible.ts";

const LIST = "/settings/administrators";

export function showDeleteAdministrator(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    return renderQuestion(c, await readOf(deps, c), undefined);
  };
}

export function deleteAdministratorPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDelete(c) {
    const administrator = await readOf(deps, c);
    try {
      await deleteAdministrator(contextOf(deps, c), { administratorId: administrator.id });
    } catch (error) {
      return renderQuestion(c, administrator, refusedForm(error, {}).errors[""]);
    }
    return redirectTo(c, LIST, { tone: "good", text: `Deleted administrator ${administrator.login}.` });
  };
}

async function readOf(deps: AdminDeps, c: AdminContext): Promise<AdministratorRow> {
  const id = idParam<AdministratorId>(c, "administrator");
  const [row] = await listAdministrators(deps.db, { tenantId: tenantOf(c), id });
  return found(row, "administrator");
}

function renderQuestion(c: AdminContext, row: AdministratorRow, error: string | undefined) {
  const returning =
    row.provider === null
      ? ""
      : " Their provider's groups make them anew when they sign in again: block them to keep them out.";
  return renderPage(
    c,
    { title: `Delete ${row.login}`, section: "settings", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Delete administrator ${row.login}?`}
      back={{ href: LIST, text: "Administrators" }}
      action={`${LIST}/${row.id}/delete`}
      csrf={c.get("signedIn").csrfToken}
      label="Delete the administrator"
      error={error}
    >
      <p>
        They can't sign in any more, and what they see of screens closes. What they did stays in the audit
        log.{returning}
      </p>
    </Confirm>,
  );
}
