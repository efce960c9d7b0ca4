import { positional, textOption } from "../admin/arguments.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { TENANT_OPTION, tenantQuery } from "./arguments.ts";

export const configUnset: Command = {
  name: "config unset",
  summary: "Forget a setting of the site or of a tenant.",
  positionals: ["NAME"],
  options: TENANT_OPTION,
  details: "From then on the site's value holds for the tenant, or the default for the site.",
  examples: ["qvd config unset l7r.auth.plugins --tenant sales"],
  async run(io, args) {
    const name = positional(args, 0, "NAME");
    const tenant = textOption(args, "tenant");
    const api = await openApi(io.env);
    await api.ask("DELETE", `/settings/${encodeURIComponent(name)}${tenantQuery(tenant)}`);
    io.err(`unset ${name}${tenant === undefined ? "" : ` of ${tenant}`}\n`);
    return 0;
  },
};
