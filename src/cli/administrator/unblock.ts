import { positional } from "../admin/arguments.ts";
import { findAdministrator } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const administratorUnblock: Command = {
  name: "administrator unblock",
  summary: "Let a blocked administrator sign in again.",
  positionals: ["ADMINISTRATOR"],
  examples: ["qvd administrator unblock ann"],
  async run(io, args) {
    const api = await openApi(io.env);
    const one = await findAdministrator(api, positional(args, 0, "ADMINISTRATOR"));
    await api.ask("POST", `/administrators/${one.id}/unblock`);
    io.err(`unblocked administrator ${one.login}\n`);
    return 0;
  },
};
