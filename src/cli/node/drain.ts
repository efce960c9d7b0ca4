import { z } from "zod";
import { AppError } from "../../lib/errors.ts";
import { flag, positional } from "../admin/arguments.ts";
import { findNode } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

const Drained = z.object({ leaving: z.number(), staying: z.number() });

export const nodeDrain: Command = {
  name: "node drain",
  summary: "Empty a node: it takes no more, and its desktops finish or move.",
  positionals: ["NODE"],
  options: {
    finish: { type: "flag", doc: "What runs goes on until somebody stops it (the default)." },
    move: { type: "flag", doc: "What runs is stopped gracefully and starts on another node." },
    "dry-run": { type: "flag", doc: "Only say how many desktops would leave, or why it would be refused." },
  },
  details:
    "Desktops leave once they are stopped. Those whose homes lie on the node's own disk can't: they go on until they are stopped, and don't start before `qvd node undrain`.",
  examples: ["qvd node drain box1", "qvd node drain box1 --move"],
  async run(io, args) {
    const isMove = flag(args, "move");
    if (isMove && flag(args, "finish")) throw new AppError("bad-input", "give --finish or --move, not both");
    const api = await openApi(io.env);
    const node = await findNode(api, positional(args, 0, "NODE"));
    const isTrial = flag(args, "dry-run");
    const mode = isMove ? "move" : "finish";
    const path = `/nodes/${node.id}/drain${isTrial ? "?trial=yes" : ""}`;
    const { leaving, staying } = Drained.parse(await api.ask("POST", path, { mode }));
    const what =
      leaving === 0 ? "no desktop leaves" : leaving === 1 ? "1 desktop leaves" : `${leaving} desktops leave`;
    const when =
      isMove || leaving === 0 ? "" : leaving === 1 ? " once it is stopped" : " once they are stopped";
    io.err(`${isTrial ? "would drain" : "draining"} ${node.name}: ${what}${when}\n`);
    if (staying > 0)
      io.err(
        `${staying} can't leave: ${staying === 1 ? "its home lies" : "their homes lie"} on its own disk\n`,
      );
    return 0;
  },
};
