import { SessionShape } from "../../admin/api/shapes.ts";
import { given, textOption } from "../admin/arguments.ts";
import { findUser, findVm, listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const sessionList: Command = {
  name: "session list",
  summary: "List sessions, past ones too, newest first: who, from where, how long, and why they ended.",
  options: {
    search: { type: "text", value: "TEXT", doc: "Only those whose desktop, user or address contains it." },
    state: { type: "text", value: "STATE", doc: "Only those that are waiting, connected or ended." },
    vm: { type: "text", value: "VM", doc: "Only those at this desktop." },
    user: { type: "text", value: "USER", doc: "Only those of this user." },
    ...JSON_OPTION,
  },
  examples: [
    "qvd session list --state connected",
    "qvd session list --vm ann-desk",
    "qvd session list --user ann --state ended --json",
  ],
  async run(io, args) {
    const api = await openApi(io.env);
    const desk = textOption(args, "vm");
    const owner = textOption(args, "user");
    const query = given({
      search: textOption(args, "search"),
      state: textOption(args, "state"),
      vm: desk === undefined ? undefined : String((await findVm(api, desk)).id),
      user: owner === undefined ? undefined : String((await findUser(api, owner)).id),
    });
    const sessions = await listAll(api, "/sessions", SessionShape, new URLSearchParams(query));
    if (args.options.json) printJson(io, sessions);
    else {
      const rows = sessions.map((session) => [
        String(session.id),
        session.vm,
        session.user,
        session.state,
        session.clientAddress ?? "-",
        session.connectedAt ?? session.requestedAt,
        session.endedAt ?? "-",
        session.endReason ?? "-",
      ]);
      printTable(io, ["ID", "VM", "USER", "STATE", "FROM", "BEGAN", "ENDED", "WHY"], rows);
    }
    return 0;
  },
};
