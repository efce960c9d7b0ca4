import { positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeUnblock: Command = {
  name: "node unblock",
  summary: "Let a blocked node take clients and desktops again.",
  positionals: ["NODE"],
  examples: ["qvd node unblock box1"],
  async run(io, args) {
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    await api.ask("POST", `/nodes/${node.id}/unblock`);
    io.err(`unblocked ${node.name}\n`);
    return 0;
  },
};
