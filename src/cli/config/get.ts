import { findSettingName } from "../../domain/setting/registry.ts";
import { AppError } from "../../lib/errors.ts";
import { positional, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { TENANT_OPTION } from "./arguments.ts";
import { listSettings } from "./list.ts";

export const configGet: Command = {
  name: "config get",
  summary: "Print a setting of the site or of a tenant.",
  positionals: ["NAME"],
  options: { ...TENANT_OPTION, ...JSON_OPTION },
  details:
    "Prints the value alone; with --json also where it comes from and what it means. A secret is never shown.",
  examples: ["qvd config get l7r.auth.plugins --tenant sales"],
  async run(io, args) {
    const given = positional(args, 0, "NAME");
    const name = findSettingName(given) ?? given;
    const all = await listSettings(await openApi(io.env), textOption(args, "tenant"));
    const found = all.find((setting) => setting.name === name);
    if (found === undefined)
      throw new AppError("not-found", `there is no setting ${name}; \`qvd config list\` shows all`);
    if (args.options.json) printJson(io, found);
    else if (found.kind === "secret")
      io.err(found.isSet ? `${name} is set; it is not shown to anybody\n` : `${name} is not set\n`);
    else io.out(found.value.endsWith("\n") ? found.value : `${found.value}\n`);
    return 0;
  },
};
