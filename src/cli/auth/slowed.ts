import { SlowedListShape } from "../../admin/api/shapes.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const authSlowed: Command = {
  name: "auth slowed",
  summary: "List whose next try to sign in is slowed down, after too many failures.",
  options: JSON_OPTION,
  details:
    "Of the whole site. An account is slowed down by failures from one address, by those from all addresses, and an address by those of all accounts; a second factor by wrong codes.",
  examples: ["qvd auth slowed", "qvd auth slowed --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const { slowed, total } = SlowedListShape.parse(await api.ask("GET", "/auth/slowed"));
    if (args.options.json) printJson(io, { slowed, total });
    else {
      const rows = slowed.map(({ id, lane, login, tenant, origin, failures, waitMs }) => [
        login === undefined ? "(anybody)" : `${login}@${tenant ?? ""}`,
        lane === "code" ? "(wrong codes)" : (origin ?? "(anywhere)"),
        String(failures),
        waitMs <= 0 ? "now" : `in ${Math.ceil(waitMs / 1000)} s`,
        id,
      ]);
      printTable(io, ["WHO", "FROM", "FAILURES", "NEXT TRY", "ID"], rows);
      if (total > slowed.length) io.err(`and ${total - slowed.length} more\n`);
    }
    return 0;
  },
};
