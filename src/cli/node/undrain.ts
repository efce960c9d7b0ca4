import { positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeUndrain: Command = {
  name: "node undrain",
  summary: "End the drain of a node: it takes desktops again.",
  positionals: ["NODE"],
  details: "Desktops that have left do not come back by themselves.",
  examples: ["qvd node undrain box1"],
  async run(io, args) {
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    await api.ask("POST", `/nodes/${node.id}/undrain`);
    io.err(`ended the drain of ${node.name}\n`);
    return 0;
  },
};
