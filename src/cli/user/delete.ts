import { flag, positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userDelete: Command = {
  name: "user delete",
  summary: "Delete a user who has no desktops.",
  positionals: ["USER"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be deleted, or why not." } },
  details: "A user who still owns desktops is not deleted; delete those first.",
  examples: ["qvd user delete ann", "qvd user delete ann --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const what = `user ${user.login} (id ${user.id}) of tenant ${user.tenant}`;
    if (flag(args, "dry-run")) {
      await api.ask("DELETE", `/users/${user.id}?trial=yes`);
      io.err(`would delete ${what}\n`);
      return 0;
    }
    await api.ask("DELETE", `/users/${user.id}`);
    io.err(`deleted ${what}\n`);
    return 0;
  },
};
