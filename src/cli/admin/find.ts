/**
 * Finds what a person named: by id, or by name. A name that several tenants have is refused with the ids to
 * choose from.
 */

import type { z } from "zod";
import {
  AdministratorShape,
  ImageShape,
  NodeShape,
  OsfShape,
  pageOf,
  TenantShape,
  UserShape,
  VmShape,
} from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import type { Api } from "../api-client.ts";

export function findUser(api: Api, text: string): Promise<UserShape> {
  return findOne(api, text, {
    noun: "user",
    path: "/users",
    shape: UserShape,
    names: (user) => [user.login, `${user.login}@${user.tenant}`],
  });
}

export function findAdministrator(api: Api, text: string): Promise<AdministratorShape> {
  return findOne(api, text, {
    noun: "administrator",
    path: "/administrators",
    shape: AdministratorShape,
    names: (administrator) => [administrator.login, `${administrator.login}@${administrator.tenant}`],
  });
}

export function findTenant(api: Api, text: string): Promise<TenantShape> {
  return findOne(api, text, {
    noun: "tenant",
    path: "/tenants",
    shape: TenantShape,
    names: (tenant) => [tenant.name],
  });
}

export function findVm(api: Api, text: string): Promise<VmShape> {
  return findOne(api, text, {
    noun: "desktop",
    path: "/vms",
    shape: VmShape,
    names: (vm) => [vm.name, `${vm.name}@${vm.tenant}`],
  });
}

export function findOsf(api: Api, text: string): Promise<OsfShape> {
  return findOne(api, text, {
    noun: "OSF",
    path: "/osfs",
    shape: OsfShape,
    names: (osf) => [osf.name, `${osf.name}@${osf.tenant}`],
  });
}

/** An image is named by id or as `OSF:VERSION`. */
export function findImage(api: Api, text: string): Promise<ImageShape> {
  return findOne(api, text, {
    noun: "image",
    path: "/images",
    hint: text.includes(":") ? undefined : "name it by its id or as OSF:VERSION, see `qvd image list`",
    shape: ImageShape,
    names: (image) => [`${image.osf}:${image.version}`],
  });
}

export function findNode(api: Api, text: string): Promise<NodeShape> {
  return findOne(api, text, {
    noun: "node",
    path: "/nodes",
    shape: NodeShape,
    names: (node) => [node.name],
  });
}

const MOST_NEAR = 3;

type Kind<Shape extends z.ZodType<{ id: number }>> = {
  readonly noun: string;
  readonly path: string;
  /** What to do where nothing was found; else the list and what is named nearly so. */
  readonly hint?: string | undefined;
  readonly shape: Shape;
  readonly names: (item: z.output<Shape>) => readonly string[];
};

async function findOne<Shape extends z.ZodType<{ id: number }>>(
  api: Api,
  text: string,
  kind: Kind<Shape>,
): Promise<z.output<Shape>> {
  if (/^[0-9]+$/.test(text)) return kind.shape.parse(await api.ask("GET", `${kind.path}/${text}`));
  const all = await listAll(api, kind.path, kind.shape, new URLSearchParams({ search: searchWord(text) }));
  const found = all.filter((item) => kind.names(item).includes(text));
  const [only] = found;
  if (only === undefined) {
    const near = all.slice(0, MOST_NEAR).flatMap((item) => kind.names(item)[0] ?? []);
    const list = `\`qvd ${kind.path.slice(1, -1)} list\` lists them`;
    const hint = kind.hint ?? (near.length === 0 ? list : `did you mean ${near.join(" or ")}? ${list}`);
    throw new AppError("not-found", `there is no ${kind.noun} named ${text}; ${hint}`);
  }
  if (found.length > 1) {
    const ids = found.map((item) => item.id).join(", ");
    throw new AppError("conflict", `several are named ${text}: give the id (${ids})`);
  }
  return only;
}

/** What the server can search for: the name without the tenant or version that we add. */
function searchWord(text: string): string {
  return text.split(/[@:]/)[0] ?? text;
}

/** All pages of a list. */
export async function listAll<Shape extends z.ZodType>(
  api: Api,
  path: string,
  shape: Shape,
  query: URLSearchParams,
): Promise<z.output<Shape>[]> {
  const items: z.output<Shape>[] = [];
  for (let page = 1; ; page += 1) {
    query.set("page", String(page));
    query.set("pageSize", "200");
    const answer = pageOf(shape).parse(await api.ask("GET", `${path}?${query}`));
    items.push(...answer.items);
    if (answer.items.length === 0 || items.length >= answer.total) return items;
  }
}
