import { NodeShape } from "../../admin/api/shapes.ts";
import { listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeList: Command = {
  name: "node list",
  summary: "List the boxes of the site and how each is.",
  options: JSON_OPTION,
  details:
    "STATE is stopped, starting, running, stopping or lost; a blocked or drained node says so besides. A node that is lost is silent, and its lease has lapsed.",
  examples: ["qvd node list", "qvd node list --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const nodes = await listAll(api, "/nodes", NodeShape, new URLSearchParams());
    if (args.options.json) printJson(io, nodes);
    else
      printTable(
        io,
        ["ID", "NAME", "STATE", "DESKTOPS", "RUNNING", "HOMES", "WEIGHT", "ADDRESS"],
        nodes.map(row),
      );
    return 0;
  },
};

function row(node: NodeShape): readonly string[] {
  const drain = node.drain === null ? [] : [node.desktops === 0 ? "drained" : `draining (${node.drain})`];
  return [
    String(node.id),
    node.name,
    [node.state, ...(node.isBlocked ? ["blocked"] : []), ...drain].join(", "),
    String(node.desktops),
    String(node.running),
    node.hasSharedStorage ? "shared" : "own disk",
    String(node.weight),
    node.address ?? "",
  ];
}
