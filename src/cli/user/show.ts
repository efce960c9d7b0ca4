import { VmShape } from "../../admin/api/shapes.ts";
import { positional } from "../admin/arguments.ts";
import { findUser, listAll } from "../admin/find.ts";
import { JSON_OPTION, printFacts, printJson, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userShow: Command = {
  name: "user show",
  summary: "Show a user and their desktops.",
  positionals: ["USER"],
  options: JSON_OPTION,
  details: "USER is an id, a login, or login@tenant.",
  examples: ["qvd user show ann", "qvd user show 7 --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const vms = await listAll(api, "/vms", VmShape, new URLSearchParams({ user: String(user.id) }));
    if (args.options.json) printJson(io, { ...user, vms });
    else {
      printFacts(io, [
        ["id", String(user.id)],
        ["login", user.login],
        ["tenant", user.tenant],
        ["name", user.fullName],
        ["blocked", yesNo(user.isBlocked)],
        ["created", user.createdAt],
        ["desktops", vms.map((vm) => `${vm.name} (${vm.state})`).join(", ")],
      ]);
    }
    return 0;
  },
};
