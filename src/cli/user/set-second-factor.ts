import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { readPassword } from "../admin/read-password.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userSetSecondFactor: Command = {
  name: "user set-second-factor",
  summary: "Give a user the second factor that they had with QVD 4.",
  positionals: ["USER"],
  details:
    "The secret of their authenticator app in base 32 (QVD 4's property l7r.auth.plugin.totp.secret32) is prompted for on a terminal, else read from stdin. The app goes on as it is; recovery codes they make themselves. A second factor that is set up already is refused: reset it first.",
  examples: ["qvd user set-second-factor ann"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const secret = await readPassword(io, `Secret of ${user.login}'s authenticator app: `);
    await api.ask("PUT", `/users/${user.id}/second-factor`, { secret });
    io.err(`set the second factor of user ${user.login}\n`);
    return 0;
  },
};
