import { DirectoryTestShape } from "../../admin/api/shapes.ts";
import { given, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { TENANT_OPTION } from "../config/arguments.ts";

export const authTestDirectory: Command = {
  name: "auth test-directory",
  summary: "Try the directory of the site or of a tenant step by step, and say what fails.",
  positionals: ["[LOGIN]"],
  options: { ...TENANT_OPTION, ...JSON_OPTION },
  details:
    "Connects, signs in as who searches, and looks LOGIN up, where it is given; no password of a person is needed. Ends with 1 when a step failed at every server.",
  examples: ["qvd auth test-directory ann --tenant sales"],
  async run(io, args) {
    const api = await openApi(io.env);
    const body = given({ tenant: textOption(args, "tenant"), login: args.positionals[0] });
    const servers = DirectoryTestShape.parse(await api.ask("POST", "/auth/test-directory", body));
    if (args.options.json) printJson(io, servers);
    else
      for (const { name, steps } of servers) {
        io.out(`${name}\n`);
        for (const { what, isGood, text } of steps)
          io.out(`  ${isGood ? "ok    " : "FAILED"} ${what}: ${text}\n`);
      }
    return servers.some(({ steps }) => steps.every(({ isGood }) => isGood)) ? 0 : 1;
  },
};
