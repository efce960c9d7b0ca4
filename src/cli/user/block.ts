import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userBlock: Command = {
  name: "user block",
  summary: "Refuse a user from now on; running sessions go on.",
  positionals: ["USER"],
  examples: ["qvd user block ann"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    await api.ask("POST", `/users/${user.id}/block`);
    io.err(`blocked user ${user.login}\n`);
    return 0;
  },
};
