import { positional } from "../admin/arguments.ts";
import { findTenant } from "../admin/find.ts";
import { JSON_OPTION, printFacts, printJson, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const tenantShow: Command = {
  name: "tenant show",
  summary: "Show a tenant and how much is theirs.",
  positionals: ["TENANT"],
  options: JSON_OPTION,
  details: "TENANT is an id or a name.",
  examples: ["qvd tenant show sales", "qvd tenant show 2 --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const tenant = await findTenant(api, positional(args, 0, "TENANT"));
    if (args.options.json) printJson(io, tenant);
    else {
      printFacts(io, [
        ["id", String(tenant.id)],
        ["name", tenant.name],
        ["users", String(tenant.users)],
        ["desktops", String(tenant.desktops)],
        ["administrators", String(tenant.administrators)],
        ["blocked", yesNo(tenant.isBlocked)],
        ["created", tenant.createdAt],
      ]);
    }
    return 0;
  },
};
