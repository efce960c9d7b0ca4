/** GET and POST /nodes/:id/strangers/:vm/end. */

import type { Handler } from "hono";
import type { NodeRow } from "../../../db/queries/nodes.ts";
import { endStranger } from "../../../service/node/end-stranger.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { Confirm } from "../../ui/confirm.tsx";
import { strangerParam } from "../../visible.ts";
import { readNodeOf } from "./drain.tsx";

export function showEndStranger(deps: AdminDeps): Handler<AdminEnv> {
  return async function showQuestion(c) {
    return renderQuestion(c, await readNodeOf(deps, c));
  };
}

export function endStrangerPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeEnd(c) {
    const node = await readNodeOf(deps, c);
    const values = await readForm(c);
    const vmId = strangerParam(c);
    try {
      await endStranger(contextOf(deps, c), { nodeId: node.id, vmId });
    } catch (error) {
      return renderQuestion(c, node, refusedForm(error, values).errors[""]);
    }
    deps.wake("vm");
    deps.live.notice();
    return redirectTo(c, "/nodes", { tone: "good", text: `Desktop ${vmId} is being ended on ${node.name}.` });
  };
}

function renderQuestion(c: AdminContext, node: NodeRow, error?: string) {
  const vmId = strangerParam(c);
  return renderPage(
    c,
    {
      title: `End desktop ${vmId} on ${node.name}`,
      section: "nodes",
      status: error === undefined ? 200 : 409,
    },
    <Confirm
      title={`End desktop ${vmId} on ${node.name}?`}
      back={{ href: "/nodes", text: "Nodes" }}
      action={`/nodes/${node.id}/strangers/${vmId}/end`}
      csrf={c.get("signedIn").csrfToken}
      label="End the desktop"
      error={error}
    >
      <p>
        It runs there though the site doesn't place it there, as after a database was restored. It is shut
        down, and after 30 seconds ended by force. Its home stays where it is.
      </p>
    </Confirm>,
  );
}
