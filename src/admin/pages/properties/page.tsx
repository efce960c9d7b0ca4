/** GET and POST /properties/:kind/:id, and POST /properties/:kind/:id/unset. */

import type { Handler } from "hono";
import { listProperties, listVmProperties } from "../../../db/queries/properties.ts";
import { asId, type VmId } from "../../../domain/ids.ts";
import type { PropertyKind } from "../../../domain/property/merge.ts";
import { setProperty } from "../../../service/property/set.ts";
import { unsetProperty } from "../../../service/property/unset.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, readForm, refusedForm } from "../../form.ts";
import { type PropertyOwner, readPropertyOwner } from "../../property-kind.ts";
import { executeAndReturn, redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { PropertiesPage } from "./view.tsx";

const SECTIONS = {
  user: "users",
  vm: "desktops",
  osf: "images",
  image: "images",
  node: "nodes",
} as const satisfies Record<PropertyKind, string>;

export function showProperties(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    return render(deps, c, { owner: await readPropertyOwner(deps, c), form: EMPTY_FORM });
  };
}

export function setPropertyPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeSet(c) {
    const owner = await readPropertyOwner(deps, c);
    const values = await readForm(c);
    const { key = "", value = "" } = values;
    try {
      await setProperty(contextOf(deps, c), { kind: owner.kind, id: owner.id, key, value });
    } catch (error) {
      return render(deps, c, { owner, form: refusedForm(error, values) });
    }
    return redirectTo(c, pathOf(owner), { tone: "good", text: `Set ${key}.` });
  };
}

export function unsetPropertyPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeUnset(c) {
    const owner = await readPropertyOwner(deps, c);
    const { key = "" } = await readForm(c);
    const { kind, id } = owner;
    return executeAndReturn(c, { fallback: pathOf(owner), done: `Removed ${key}.` }, () =>
      unsetProperty(contextOf(deps, c), { kind, id, key }),
    );
  };
}

function pathOf({ kind, id }: PropertyOwner): string {
  return `/properties/${kind}/${id}`;
}

async function render(
  deps: AdminDeps,
  c: AdminContext,
  of: { readonly owner: PropertyOwner; readonly form: FormState },
) {
  const { owner, form } = of;
  const own = await listProperties(deps.db, owner.kind, owner.id);
  const merged = owner.kind === "vm" ? await listVmProperties(deps.db, asId<VmId>(owner.id)) : undefined;
  const view = { owner, own, merged, form, csrf: c.get("signedIn").csrfToken };
  const status = Object.keys(form.errors).length === 0 ? 200 : 422;
  const options = { title: `Properties of ${owner.name}`, section: SECTIONS[owner.kind], status } as const;
  return renderPage(c, options, <PropertiesPage view={view} />);
}
