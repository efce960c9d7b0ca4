/** GET and POST /nodes/:id/drain: what becomes of the desktops is for the administrator to choose. */

import type { Handler } from "hono";
import { type NodeRow, readNode } from "../../../db/queries/nodes.ts";
import type { NodeId } from "../../../domain/ids.ts";
import { drainNode } from "../../../service/node/drain.ts";
import { SelectField } from "../../../ui/field.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { found, idParam, requireSite } from "../../visible.ts";

const MODES = [
  { value: "finish", text: "Let them finish" },
  { value: "move", text: "Move them to other nodes" },
] as const;

export async function readNodeOf(deps: AdminDeps, c: AdminContext): Promise<NodeRow> {
  requireSite(c);
  return found(await readNode(deps.db, idParam<NodeId>(c, "node")), "node");
}

export function showDrainNode(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(c, await readNodeOf(deps, c), EMPTY_FORM);
  };
}

export function drainNodePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeDrain(c) {
    const node = await readNodeOf(deps, c);
    const values = await readForm(c);
    try {
      const mode = values.mode === "move" ? "move" : "finish";
      const { leaving, staying } = await drainNode(contextOf(deps, c), { nodeId: node.id, mode });
      deps.wake("node");
      deps.wake("vm");
      const left = staying === 0 ? "" : ` ${staying} can't, since their homes lie on its own disk.`;
      return redirectTo(c, "/nodes", {
        tone: staying === 0 ? "good" : "warn",
        text: `Draining ${node.name}: ${leaving} of its desktops can leave.${left}`,
      });
    } catch (error) {
      return renderForm(c, node, refusedForm(error, values));
    }
  };
}

function renderForm(c: AdminContext, node: NodeRow, form: FormState) {
  const status = Object.keys(form.errors).length === 0 ? 200 : 409;
  return renderPage(
    c,
    { title: `Drain ${node.name}`, section: "nodes", status },
    <FormPage
      title={`Drain ${node.name}`}
      lead="It takes no more desktops from now on, until the drain is ended."
      back={{ href: "/nodes", text: "Nodes" }}
      action={`/nodes/${node.id}/drain`}
      csrf={c.get("signedIn").csrfToken}
      submit="Drain it"
      error={form.errors[""]}
    >
      {node.sharedId === null ? (
        <Notice tone="warn">
          This node keeps homes on its own disk. Desktops with a home can't leave it; they go on until they
          are stopped, and then don't start before the drain ends.
        </Notice>
      ) : null}
      <SelectField
        name="mode"
        label={`What becomes of its ${node.running === 1 ? "running desktop" : `${node.running} running desktops`}`}
        choices={MODES}
        hint="Finishing, each leaves once somebody stops it. Moving, each is stopped gracefully and starts elsewhere."
        value={form.values.mode ?? "finish"}
        error={form.errors.mode}
      />
    </FormPage>,
  );
}
