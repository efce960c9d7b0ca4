import { flag, positional } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const osfDelete: Command = {
  name: "osf delete",
  summary: "Delete an OS flavour that has neither images nor desktops.",
  positionals: ["OSF"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be deleted, or why not." } },
  examples: ["qvd osf delete office", "qvd osf delete 3 --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const osf = await findOsf(api, positional(args, 0, "OSF"));
    const isTrial = flag(args, "dry-run");
    await api.ask("DELETE", `/osfs/${osf.id}${isTrial ? "?trial=yes" : ""}`);
    io.err(`${isTrial ? "would delete" : "deleted"} OS flavour ${osf.name} (id ${osf.id})\n`);
    return 0;
  },
};
