import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userUnblock: Command = {
  name: "user unblock",
  summary: "Let a blocked user in again.",
  positionals: ["USER"],
  examples: ["qvd user unblock ann"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    await api.ask("POST", `/users/${user.id}/unblock`);
    io.err(`unblocked user ${user.login}\n`);
    return 0;
  },
};
