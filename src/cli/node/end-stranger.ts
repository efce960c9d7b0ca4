import { AppError } from "../../lib/errors.ts";
import { flag, positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const nodeEndStranger: Command = {
  name: "node end-stranger",
  summary: "End a desktop that runs on a node though the site does not place it there.",
  positionals: ["NODE", "DESKTOP"],
  options: {
    "dry-run": { type: "flag", doc: "Only say whether it would be refused." },
  },
  details:
    "DESKTOP is the number that `qvd node list` and `qvd node status` tell of. Such desktops are left over when the database was restored, or promoted without its last moments; they are left alone until somebody names one. It is shut down, after 30 s ended by force; its home stays where it is.",
  examples: ["qvd node end-stranger box1 41 --dry-run", "qvd node end-stranger box1 41"],
  async run(io, args) {
    const isTrial = flag(args, "dry-run");
    const vmId = positional(args, 1, "DESKTOP");
    if (!/^[1-9][0-9]{0,9}$/.test(vmId))
      throw new AppError("bad-input", "DESKTOP is the desktop's number, as the node tells it", {
        field: "DESKTOP",
      });
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    await api.ask("POST", `/nodes/${node.id}/strangers/${vmId}/end${isTrial ? "?trial=yes" : ""}`);
    io.err(`${isTrial ? "would end" : "ending"} desktop ${vmId} on ${node.name}; its home stays\n`);
    return 0;
  },
};
