import { flag, positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageRetire: Command = {
  name: "image retire",
  summary: "Take an image out of use and keep it; desktops that run on it go on.",
  positionals: ["IMAGE"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be retired, or why not." } },
  details:
    "IMAGE is an id or OSF:VERSION. The tags head and default go to the image that was published before it; `qvd image publish` brings it back.",
  examples: ["qvd image retire office:v7"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    const what = `${image.osf}:${image.version}`;
    if (flag(args, "dry-run")) {
      await api.ask("POST", `/images/${image.id}/retire?trial=yes`);
      io.err(`would retire ${what}\n`);
      return 0;
    }
    await api.ask("POST", `/images/${image.id}/retire`);
    io.err(`retired ${what}\n`);
    return 0;
  },
};
