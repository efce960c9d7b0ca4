import { SessionShape } from "../../admin/api/shapes.ts";
import { ACCESS_TEXTS } from "../../domain/session/access-texts.ts";
import { showCommand } from "../admin/show-command.ts";
import { sessionPath } from "./session-path.ts";

export const sessionShow = showCommand({
  name: "session show",
  summary: "Show one session.",
  positional: "SESSION",
  examples: ["qvd session show 17", "qvd session show 17 --json"],
  find: async (api, text) => SessionShape.parse(await api.ask("GET", sessionPath(text))),
  facts: (session) => [
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
  ],
});
