import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageBlock: Command = {
  name: "image block",
  summary: "Let no desktop start from an image; those that run on it go on.",
  positionals: ["IMAGE"],
  examples: ["qvd image block office:v7"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    await api.ask("POST", `/images/${image.id}/block`);
    io.err(`blocked ${image.osf}:${image.version}\n`);
    return 0;
  },
};
