import { positional, requireOption } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeChange: Command = {
  name: "node change",
  summary: "Change how readily a node is given desktops.",
  positionals: ["NODE"],
  options: {
    weight: {
      type: "text",
      value: "NUMBER",
      doc: "Multiplies its score in placement, 0 to 100; 0 makes it the last resort.",
    },
  },
  examples: ["qvd node change box1 --weight 2"],
  async run(io, args) {
    const weight = requireOption(args, "weight");
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    await api.ask("PATCH", `/nodes/${node.id}`, { weight });
    io.err(`changed ${node.name}\n`);
    return 0;
  },
};
