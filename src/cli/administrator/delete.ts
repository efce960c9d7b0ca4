import { flag, positional } from "../admin/arguments.ts";
import { findAdministrator } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const administratorDelete: Command = {
  name: "administrator delete",
  summary: "Delete an administrator.",
  positionals: ["ADMINISTRATOR"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be deleted, or why not." } },
  details:
    "What they did stays in the audit log. One whom a provider's groups made comes again with their next sign-in: block them instead.",
  examples: ["qvd administrator delete ann", "qvd administrator delete ann@acme --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const one = await findAdministrator(api, positional(args, 0, "ADMINISTRATOR"));
    const whose = one.tenant === "*" ? "of the whole site" : `of tenant ${one.tenant}`;
    const what = `administrator ${one.login} (id ${one.id}) ${whose}`;
    const isTrial = flag(args, "dry-run");
    await api.ask("DELETE", `/administrators/${one.id}${isTrial ? "?trial=yes" : ""}`);
    io.err(`${isTrial ? "would delete" : "deleted"} ${what}\n`);
    return 0;
  },
};
