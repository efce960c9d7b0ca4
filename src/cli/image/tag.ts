import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageTag: Command = {
  name: "image tag",
  summary: "Put a tag on an image, taking it from the image that has it: roll-out, and roll-back.",
  positionals: ["IMAGE", "TAG"],
  details: "IMAGE is an id or OSF:VERSION. Desktops that follow the tag take the image at their next start.",
  examples: ["qvd image tag office:v7 default"],
  async run(io, args) {
    const tag = positional(args, 1, "TAG");
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    await api.ask("PUT", `/images/${image.id}/tags/${encodeURIComponent(tag)}`);
    io.err(`${image.osf}:${image.version} now has the tag ${tag}\n`);
    return 0;
  },
};
