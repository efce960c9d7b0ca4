import { positional } from "../admin/arguments.ts";
import { findAdministrator } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const administratorBlock: Command = {
  name: "administrator block",
  summary: "Refuse an administrator from now on, and end their sign-ins.",
  positionals: ["ADMINISTRATOR"],
  details: "Consoles and sessions that they see close within a second.",
  examples: ["qvd administrator block ann", "qvd administrator block ann@acme"],
  async run(io, args) {
    const api = await openApi(io.env);
    const one = await findAdministrator(api, positional(args, 0, "ADMINISTRATOR"));
    await api.ask("POST", `/administrators/${one.id}/block`);
    io.err(`blocked administrator ${one.login}\n`);
    return 0;
  },
};
