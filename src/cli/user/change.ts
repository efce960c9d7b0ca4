import { positional, requireOption } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userChange: Command = {
  name: "user change",
  summary: "Change a user's full name.",
  positionals: ["USER"],
  options: { name: { type: "text", value: "NAME", doc: "The new full name." } },
  details: "The login stays for life, because the account inside the user's desktops carries it.",
  examples: ['qvd user change ann --name "Ann Ford-Miller"'],
  async run(io, args) {
    const fullName = requireOption(args, "name");
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    await api.ask("PATCH", `/users/${user.id}`, { fullName });
    io.err(`changed user ${user.login}\n`);
    return 0;
  },
};
