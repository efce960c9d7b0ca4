import { PROPERTY_KINDS, type PropertyKind } from "../../domain/property/merge.ts";
import { AppError } from "../../lib/errors.ts";
import { positional } from "../admin/arguments.ts";
import { findImage, findNode, findOsf, findUser, findVm } from "../admin/find.ts";
import type { Api } from "../api-client.ts";
import type { CommandArgs } from "../command.ts";

export const OWNER_DETAILS = `KIND is one of ${PROPERTY_KINDS.join(", ")}; NAME an id or what lists call it, an image as OSF:VERSION.`;

const FINDERS = {
  user: findUser,
  vm: findVm,
  node: findNode,
  osf: findOsf,
  image: findImage,
} as const satisfies Record<PropertyKind, (api: Api, text: string) => Promise<{ readonly id: number }>>;

/** The API's path of the thing that the first two words name. */
export async function findOwnerPath(api: Api, args: CommandArgs): Promise<string> {
  const word = positional(args, 0, "KIND");
  const kind = PROPERTY_KINDS.find((one) => one === word);
  if (kind === undefined)
    throw new AppError(
      "bad-input",
      `KIND must be one of ${PROPERTY_KINDS.join(", ")}, and ${JSON.stringify(word)} is not`,
    );
  const { id } = await FINDERS[kind](api, positional(args, 1, "NAME"));
  return `/properties/${kind}/${id}`;
}
