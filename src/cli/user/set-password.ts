import { flag, positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { chooseNewPassword, GENERATE_OPTION } from "../admin/read-password.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userSetPassword: Command = {
  name: "user set-password",
  summary: "Give a user a new password.",
  positionals: ["USER"],
  options: GENERATE_OPTION,
  details: "The password is prompted for on a terminal, else read from stdin. Running sessions go on.",
  examples: ["qvd user set-password ann", "qvd user set-password ann --generate"],
  async run(io, args) {
    const isGenerated = flag(args, "generate");
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const password = await chooseNewPassword(io, user.login, isGenerated);
    await api.ask("PUT", `/users/${user.id}/password`, { password });
    io.err(`set the password of user ${user.login}\n`);
    if (isGenerated) io.out(`${password}\n`);
    return 0;
  },
};
