import { SessionShape } from "../../admin/api/shapes.ts";
import { flag, positional } from "../admin/arguments.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { sessionPath } from "./session-path.ts";

export const sessionEnd: Command = {
  name: "session end",
  summary: "Disconnect whoever sits in a session; the desktop and its programs go on.",
  positionals: ["SESSION"],
  options: { "dry-run": { type: "flag", doc: "Only say whom it would disconnect." } },
  examples: ["qvd session end 17", "qvd session end 17 --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const path = sessionPath(positional(args, 0, "SESSION"));
    if (flag(args, "dry-run")) {
      const { id, user, vm, state } = SessionShape.parse(await api.ask("GET", path));
      const what =
        state === "ended" ? "is over already; nothing would change" : `is ${state}; it would be ended`;
      io.err(`session ${id} of ${user} at ${vm} ${what}\n`);
      return 0;
    }
    const session = SessionShape.parse(await api.ask("POST", `${path}/disconnect`));
    io.err(`asked for the end of session ${session.id} of ${session.user} at ${session.vm}\n`);
    return 0;
  },
};
