import { AdministratorShape } from "../../admin/api/shapes.ts";
import { given, textOption } from "../admin/arguments.ts";
import { listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const administratorList: Command = {
  name: "administrator list",
  summary: "List who may administer what.",
  options: {
    search: { type: "text", value: "TEXT", doc: "Only those whose login contains it." },
    ...JSON_OPTION,
  },
  details:
    "Those of tenant `*` administer the whole site. An administrator of one tenant sees that tenant's.",
  examples: ["qvd administrator list", "qvd administrator list --search ann --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const query = new URLSearchParams(given({ search: textOption(args, "search") }));
    const administrators = await listAll(api, "/administrators", AdministratorShape, query);
    if (args.options.json) printJson(io, administrators);
    else {
      const rows = administrators.map((one) => [
        String(one.id),
        one.login,
        one.tenant,
        one.roles.join(", "),
        yesNo(one.hasSecondFactor),
        one.seenAt ?? "-",
        yesNo(one.isBlocked),
      ]);
      printTable(io, ["ID", "LOGIN", "TENANT", "ROLES", "SECOND FACTOR", "SEEN", "BLOCKED"], rows);
    }
    return 0;
  },
};
