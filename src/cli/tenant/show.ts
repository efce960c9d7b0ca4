import { findTenant } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";

export const tenantShow = showCommand({
  name: "tenant show",
  summary: "Show a tenant and how much is theirs.",
  positional: "TENANT",
  details: "TENANT is an id or a name.",
  examples: ["qvd tenant show sales", "qvd tenant show 2 --json"],
  find: findTenant,
  facts: (tenant) => [
    ["id", String(tenant.id)],
    ["name", tenant.name],
    ["users", String(tenant.users)],
    ["desktops", String(tenant.desktops)],
    ["administrators", String(tenant.administrators)],
    ["blocked", yesNo(tenant.isBlocked)],
    ["created", tenant.createdAt],
  ],
});
