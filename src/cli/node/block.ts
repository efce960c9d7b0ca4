import { positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeBlock: Command = {
  name: "node block",
  summary: "Let a node take no new clients and desktops; what runs there goes on.",
  positionals: ["NODE"],
  examples: ["qvd node block box1"],
  async run(io, args) {
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    await api.ask("POST", `/nodes/${node.id}/block`);
    io.err(`blocked ${node.name}\n`);
    return 0;
  },
};
