import { z } from "zod";
import { SettingShape } from "../../admin/api/shapes.ts";
import { flag, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { type Api, openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { TENANT_OPTION, tenantQuery } from "./arguments.ts";

export const configList: Command = {
  name: "config list",
  summary: "List the settings of the site or of a tenant.",
  options: {
    ...TENANT_OPTION,
    changed: { type: "flag", doc: "Only those that somebody has set." },
    ...JSON_OPTION,
  },
  details:
    "These hold for the whole site and change while it runs; what starts a box is shown by `qvd config show`. A tenant's own value wins over the site's, that over the default.",
  examples: ["qvd config list", "qvd config list --tenant sales --changed", "qvd config list --json"],
  async run(io, args) {
    const all = await listSettings(await openApi(io.env), textOption(args, "tenant"));
    const chosen = flag(args, "changed") ? all.filter(({ source }) => source !== "default") : all;
    if (args.options.json) printJson(io, chosen);
    else
      printTable(
        io,
        ["NAME", "VALUE", "FROM"],
        chosen.map((setting) => [setting.name, showValue(setting), setting.source]),
      );
    return 0;
  },
};

export async function listSettings(api: Api, tenant: string | undefined): Promise<readonly SettingShape[]> {
  return z.array(SettingShape).parse(await api.ask("GET", `/settings${tenantQuery(tenant)}`));
}

/** On one line of a table. */
function showValue({ kind, value, isSet }: SettingShape): string {
  if (kind === "secret") return isSet ? "(set, not shown)" : "";
  const [first = "", ...more] = value.trimEnd().split("\n");
  return more.length === 0 ? first : `${first} … (${more.length + 1} lines)`;
}
