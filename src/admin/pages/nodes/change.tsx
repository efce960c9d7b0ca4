/** GET and POST /nodes/:id/change: how readily the node is given desktops. */

import type { Handler } from "hono";
import type { NodeRow } from "../../../db/queries/nodes.ts";
import { changeNode } from "../../../service/node/change.ts";
import { TextField } from "../../../ui/field.tsx";
import { unparsed } from "../../api/body.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { type FormState, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { FormPage } from "../../ui/form-page.tsx";
import { readNodeOf } from "./drain.tsx";

export function showChangeNode(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    const node = await readNodeOf(deps, c);
    return renderForm(c, node, { values: { weight: String(node.weight) }, errors: {} });
  };
}

export function changeNodePage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const node = await readNodeOf(deps, c);
    const values = await readForm(c);
    try {
      await changeNode(contextOf(deps, c), unparsed({ nodeId: node.id, weight: values.weight ?? "" }));
    } catch (error) {
      return renderForm(c, node, refusedForm(error, values));
    }
    deps.live.notice();
    return redirectTo(c, "/nodes", { tone: "good", text: `Changed node ${node.name}.` });
  };
}

function renderForm(c: AdminContext, node: NodeRow, form: FormState) {
  const status = Object.keys(form.errors).length === 0 ? 200 : 422;
  return renderPage(
    c,
    { title: `Change ${node.name}`, section: "nodes", status },
    <FormPage
      title={`Change ${node.name}`}
      lead="How readily it is given desktops. Those that it has stay."
      back={{ href: "/nodes", text: "Nodes" }}
      action={`/nodes/${node.id}/change`}
      csrf={c.get("signedIn").csrfToken}
      submit="Save"
      error={form.errors[""]}
    >
      <TextField
        name="weight"
        label="Weight"
        hint="0 to 100. With 2 it counts double when nodes are compared; with 0 it is the last resort."
        value={form.values.weight}
        error={form.errors.weight}
        isRequired
        isFirst
      />
    </FormPage>,
  );
}
