import { ImageShape } from "../../admin/api/shapes.ts";
import { listAll } from "../admin/find.ts";
import type { Api } from "../api-client.ts";
import type { CommandIo } from "../command.ts";

/** A tag may be put on an image later, so it isn't refused; but more often it was mistyped. */
export async function warnUntagged(
  io: CommandIo,
  api: Api,
  vm: { readonly osfId: number; readonly osf: string; readonly tag: string },
): Promise<void> {
  const images = await listAll(api, "/images", ImageShape, new URLSearchParams({ osf: String(vm.osfId) }));
  if (images.some(({ tags }) => tags.includes(vm.tag))) return;
  io.err(`no image of ${vm.osf} has the tag ${vm.tag} yet; the desktop can't start before\n`);
}
