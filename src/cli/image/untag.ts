import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageUntag: Command = {
  name: "image untag",
  summary: "Take a tag off an image; refused while desktops follow the tag.",
  positionals: ["IMAGE", "TAG"],
  details: "IMAGE is an id or OSF:VERSION.",
  examples: ["qvd image untag office:v7 pilot"],
  async run(io, args) {
    const tag = positional(args, 1, "TAG");
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    await api.ask("DELETE", `/images/${image.id}/tags/${encodeURIComponent(tag)}`);
    io.err(`${image.osf}:${image.version} no longer has the tag ${tag}\n`);
    return 0;
  },
};
