import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageUnblock: Command = {
  name: "image unblock",
  summary: "Let desktops start from an image again.",
  positionals: ["IMAGE"],
  examples: ["qvd image unblock office:v7"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    await api.ask("POST", `/images/${image.id}/unblock`);
    io.err(`unblocked ${image.osf}:${image.version}\n`);
    return 0;
  },
};
