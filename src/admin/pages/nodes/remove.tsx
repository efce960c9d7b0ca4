/** GET and POST /nodes/:id/remove. */

import type { Handler } from "hono";
import type { NodeRow } from "../../../db/queries/nodes.ts";
import { isAppError } from "../../../lib/errors.ts";
import type { Context } from "../../../service/context.ts";
import { removeNode } from "../../../service/node/remove.ts";
import { TickField } from "../../../ui/field.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { readNodeOf } from "./drain.tsx";

type Question = { readonly hurdle?: string | undefined; readonly error?: string | undefined };

export function showRemoveNode(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    const node = await readNodeOf(deps, c);
    const context = contextOf(deps, c);
    // Where even a box that is gone may not be removed, there is nothing to ask.
    const hurdle = await refusalOf(context, { nodeId: node.id, isGone: true, isTrial: true });
    return renderQuestion(c, node, { hurdle });
  };
}

export function removeNodePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeRemove(c) {
    const node = await readNodeOf(deps, c);
    const values = await readForm(c);
    try {
      await removeNode(contextOf(deps, c), { nodeId: node.id, isGone: values.gone === "yes" });
    } catch (error) {
      return renderQuestion(c, node, { error: refusedForm(error, values).errors[""] });
    }
    deps.wake("vm");
    deps.live.notice();
    return redirectTo(c, "/nodes", { tone: "good", text: `Removed node ${node.name}.` });
  };
}

async function refusalOf(
  context: Context,
  input: Parameters<typeof removeNode>[1],
): Promise<string | undefined> {
  try {
    await removeNode(context, input);
    return undefined;
  } catch (error) {
    if (isAppError(error) && error.code === "conflict") return capitalize(error.message);
    throw error;
  }
}

function renderQuestion(c: AdminContext, node: NodeRow, { hurdle, error }: Question) {
  return renderPage(
    c,
    { title: `Remove ${node.name}`, section: "nodes", status: error === undefined ? 200 : 409 },
    <Confirm
      title={`Remove ${node.name}?`}
      back={{ href: "/nodes", text: "Nodes" }}
      action={`/nodes/${node.id}/remove`}
      csrf={c.get("signedIn").csrfToken}
      label="Remove the node"
      hurdle={hurdle}
      error={error}
    >
      <p>The site forgets the box. Its disk is not touched; it can be invited again.</p>
      {hurdle === undefined ? (
        <TickField
          name="gone"
          label="The box is gone for good"
          hint="Its desktops are given free for other nodes, without what lay on its own disk."
        />
      ) : null}
    </Confirm>,
  );
}
