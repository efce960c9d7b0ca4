import { z } from "zod";
import { TokenShape } from "../../admin/api/shapes.ts";
import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

const Tokens = z.object({ items: z.array(TokenShape) });

export const tokenList: Command = {
  name: "token list",
  summary: "List the bearer tokens that stand for a user.",
  positionals: ["USER"],
  options: JSON_OPTION,
  details: "The tokens themselves are with whoever asked for them; nobody can show them.",
  examples: ["qvd token list ann", "qvd token list ann --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const { items } = Tokens.parse(await api.ask("GET", `/users/${user.id}/tokens`));
    if (args.options.json) printJson(io, items);
    else {
      const rows = items.map((token) => [
        String(token.id),
        token.state,
        token.vm ?? "all",
        yesNo(token.isMultiUse),
        token.origin,
        token.expiresAt,
        token.usedAt ?? "",
      ]);
      printTable(io, ["ID", "STATE", "DESKTOP", "MANY USES", "ASKED FROM", "EXPIRES", "LAST USED"], rows);
    }
    return 0;
  },
};
