import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const tokenRevoke: Command = {
  name: "token revoke",
  summary: "Make a user's bearer token good for nothing.",
  positionals: ["USER", "TOKEN"],
  details: "TOKEN is its number in `qvd token list`. Sessions that it began go on.",
  examples: ["qvd token revoke ann 12"],
  async run(io, args) {
    const tokenId = positional(args, 1, "TOKEN");
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    await api.ask("DELETE", `/users/${user.id}/tokens/${encodeURIComponent(tokenId)}`);
    io.err(`revoked token ${tokenId} of user ${user.login}\n`);
    return 0;
  },
};
