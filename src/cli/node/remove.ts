import { z } from "zod";
import { flag, positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

const Removed = z.object({ freed: z.number() });

export const nodeRemove: Command = {
  name: "node remove",
  summary: "Take a node out of the site; refused while anything hangs on it.",
  positionals: ["NODE"],
  options: {
    gone: {
      type: "flag",
      doc: "The box is gone for good: its desktops are free, without what lay on its own disk.",
    },
    "dry-run": { type: "flag", doc: "Only say whether it would be refused." },
  },
  details: "Drain it first and shut it down. Its disk is not touched; it can be invited again.",
  examples: ["qvd node remove box1", "qvd node remove box1 --gone --dry-run"],
  async run(io, args) {
    const isTrial = flag(args, "dry-run");
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    const query = new URLSearchParams({
      ...(flag(args, "gone") ? { gone: "yes" } : {}),
      ...(isTrial ? { trial: "yes" } : {}),
    });
    const { freed } = Removed.parse(await api.ask("DELETE", `/nodes/${node.id}?${query}`));
    const also = freed > 0 ? `, and free ${freed} ${freed === 1 ? "desktop" : "desktops"}` : "";
    io.err(
      isTrial
        ? `would remove ${node.name}${also}\n`
        : `removed ${node.name}${also.replace("free", "freed")}\n`,
    );
    return 0;
  },
};
