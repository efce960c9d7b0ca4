import { TenantShape } from "../../admin/api/shapes.ts";
import { listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const tenantList: Command = {
  name: "tenant list",
  summary: "List the tenants, with how much is theirs.",
  options: JSON_OPTION,
  details: "An administrator of one tenant sees that one.",
  examples: ["qvd tenant list", "qvd tenant list --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const tenants = await listAll(api, "/tenants", TenantShape, new URLSearchParams());
    if (args.options.json) printJson(io, tenants);
    else {
      const rows = tenants.map((tenant) => [
        String(tenant.id),
        tenant.name,
        String(tenant.users),
        String(tenant.desktops),
        String(tenant.administrators),
        yesNo(tenant.isBlocked),
      ]);
      printTable(io, ["ID", "TENANT", "USERS", "DESKTOPS", "ADMINISTRATORS", "BLOCKED"], rows);
    }
    return 0;
  },
};
