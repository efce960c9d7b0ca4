/** GET and POST /users/:id/delete. */

import type { Handler } from "hono";
import type { UserRow } from "../../../db/queries/users.ts";
import { deleteUser } from "../../../service/user/delete.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { readUserOf } from "./read.ts";

export function showDeleteUser(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    return renderQuestion(c, await readUserOf(deps, c), undefined);
  };
}

export function deleteUserPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDelete(c) {
    const user = await readUserOf(deps, c);
    try {
      await deleteUser(contextOf(deps, c), { userId: user.id });
    } catch (error) {
      return renderQuestion(c, user, refusedForm(error, {}).errors[""]);
    }
    deps.live.notice();
    return redirectTo(c, "/users", { tone: "good", text: `Deleted user ${user.login}.` });
  };
}

function renderQuestion(c: AdminContext, user: UserRow, error: string | undefined) {
  const desktops =
    user.desktops === 1 ? "a desktop; delete it first" : `${user.desktops} desktops; delete those first`;
  const hurdle = user.desktops > 0 ? `User ${user.login} has ${desktops}.` : undefined;
  return renderPage(
    c,
    { title: `Delete ${user.login}`, section: "users", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Delete ${user.login}?`}
      back={{ href: `/users/${user.id}`, text: user.login }}
      action={`/users/${user.id}/delete`}
      csrf={c.get("signedIn").csrfToken}
      label="Delete the user"
      hurdle={hurdle}
      error={error}
    >
      <p>They can't sign in any more. To keep them out for a while only, block them instead.</p>
    </Confirm>,
  );
}
