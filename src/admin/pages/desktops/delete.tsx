/** GET and POST /desktops/:id/delete. */

import type { Handler } from "hono";
import type { DesktopRow } from "../../../db/queries/desktops.ts";
import { whyNotDeleted } from "../../../domain/vm/why-not-deleted.ts";
import { deleteVm } from "../../../service/vm/delete.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { readDesktopOf } from "./read.ts";

export function showDeleteDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    return renderQuestion(c, await readDesktopOf(deps, c), undefined);
  };
}

export function deleteDesktop(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDelete(c) {
    const vm = await readDesktopOf(deps, c);
    try {
      await deleteVm(contextOf(deps, c), { vmId: vm.id });
    } catch (error) {
      return renderQuestion(c, vm, refusedForm(error, {}).errors[""]);
    }
    deps.wake("vm", vm.id);
    return redirectTo(c, "/desktops", {
      tone: "good",
      text: `Deleted desktop ${vm.name}. Its home was put aside.`,
    });
  };
}

function renderQuestion(c: AdminContext, vm: DesktopRow, error: string | undefined) {
  const refusal = whyNotDeleted(vm);
  return renderPage(
    c,
    { title: `Delete ${vm.name}`, section: "desktops", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Delete ${vm.name}?`}
      back={{ href: `/desktops/${vm.id}`, text: vm.name }}
      action={`/desktops/${vm.id}/delete`}
      csrf={c.get("signedIn").csrfToken}
      label="Delete the desktop"
      hurdle={refusal === undefined ? undefined : `Desktop ${vm.name} ${refusal}.`}
      error={error}
    >
      <p>
        The desktop of <strong>{vm.user}</strong>, its trail and the record of its sessions go. Its home is
        put aside on the node, so that files can still be rescued from there.
      </p>
    </Confirm>,
  );
}
