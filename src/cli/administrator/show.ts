import { findAdministrator } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";

export const administratorShow = showCommand({
  name: "administrator show",
  summary: "Show an administrator and what they may do.",
  positional: "ADMINISTRATOR",
  details: "ADMINISTRATOR is an id, a login, or login@tenant (login@* for one of the whole site).",
  examples: ["qvd administrator show ann", "qvd administrator show ann@acme --json"],
  find: findAdministrator,
  facts: (one) => [
    ["id", String(one.id)],
    ["login", one.login],
    ["of", one.tenant === "*" ? "the whole site" : one.tenant],
    ["roles", one.roles.join(", ")],
    ["by groups of", one.provider],
    ["second factor", yesNo(one.hasSecondFactor)],
    ["blocked", yesNo(one.isBlocked)],
    ["created", one.createdAt],
    ["seen", one.seenAt],
  ],
});
