import { flag, positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageDelete: Command = {
  name: "image delete",
  summary: "Delete an image that no desktop uses and no tag names.",
  positionals: ["IMAGE"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be deleted, or why not." } },
  details:
    "IMAGE is an id or OSF:VERSION. The tags head and default go to the image that was published before it.",
  examples: ["qvd image delete office:v7", "qvd image delete office:v7 --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    const what = `image ${image.osf}:${image.version} (id ${image.id})`;
    if (flag(args, "dry-run")) {
      await api.ask("DELETE", `/images/${image.id}?trial=yes`);
      io.err(`would delete ${what}\n`);
      return 0;
    }
    await api.ask("DELETE", `/images/${image.id}`);
    io.err(`deleted ${what}\n`);
    return 0;
  },
};
