import { SessionShape } from "../../admin/api/shapes.ts";
import { ACCESS_TEXTS } from "../../domain/session/access-texts.ts";
import { positional } from "../admin/arguments.ts";
import { JSON_OPTION, printFacts, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { sessionPath } from "./session-path.ts";

export const sessionShow: Command = {
  name: "session show",
  summary: "Show one session.",
  positionals: ["SESSION"],
  options: JSON_OPTION,
  examples: ["qvd session show 17", "qvd session show 17 --json"],
  async run(io, args) {
    const path = sessionPath(positional(args, 0, "SESSION"));
    const session = SessionShape.parse(await (await openApi(io.env)).ask("GET", path));
    if (args.options.json) printJson(io, session);
    else
      printFacts(io, [
        ["id", String(session.id)],
        ["desktop", session.vm],
        ["user", session.user],
        ["tenant", session.tenant],
        ["state", session.state],
        ["preparation", session.preparation],
        ["shown by", ACCESS_TEXTS[session.access]],
        ["from", session.clientAddress],
        ["carried by", session.node],
        ["asked for", session.requestedAt],
        ["connected", session.connectedAt],
        ["ended", session.endedAt],
        ["why", session.endReason],
        ["disconnected by", session.endWishedBy],
        ["bytes to the client", String(session.bytesToClient)],
        ["bytes from the client", String(session.bytesFromClient)],
      ]);
    return 0;
  },
};
