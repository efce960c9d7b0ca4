import { UserShape } from "../../admin/api/shapes.ts";
import { given, textOption } from "../admin/arguments.ts";
import { listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userList: Command = {
  name: "user list",
  summary: "List the people who may have desktops.",
  options: {
    search: { type: "text", value: "TEXT", doc: "Only those whose login or name contains it." },
    ...JSON_OPTION,
  },
  examples: ["qvd user list", "qvd user list --search ann --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const query = new URLSearchParams(given({ search: textOption(args, "search") }));
    const users = await listAll(api, "/users", UserShape, query);
    if (args.options.json) printJson(io, users);
    else {
      const rows = users.map((user) => [
        String(user.id),
        user.login,
        user.tenant,
        user.fullName,
        String(user.desktops),
        yesNo(user.isBlocked),
      ]);
      printTable(io, ["ID", "LOGIN", "TENANT", "NAME", "DESKTOPS", "BLOCKED"], rows);
    }
    return 0;
  },
};
