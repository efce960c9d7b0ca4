import { UserShape } from "../../admin/api/shapes.ts";
import { flag, given, positional, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { chooseNewPassword, GENERATE_OPTION } from "../admin/read-password.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const userCreate: Command = {
  name: "user create",
  summary: "Create a user, who can then be given desktops.",
  positionals: ["LOGIN"],
  options: {
    name: { type: "text", value: "NAME", doc: "Full name." },
    tenant: { type: "text", value: "TENANT", doc: "Whose user; default: your own tenant, else `default`." },
    ...GENERATE_OPTION,
    ...JSON_OPTION,
  },
  details: "The password is prompted for on a terminal, else read from stdin.",
  examples: ['qvd user create ann --name "Ann Ford"', "qvd user create bob --generate"],
  async run(io, args) {
    const login = positional(args, 0, "LOGIN");
    const isGenerated = flag(args, "generate");
    const api = await openApi(io.env);
    const password = await chooseNewPassword(io, login, isGenerated);
    const body = given({ fullName: textOption(args, "name"), tenant: textOption(args, "tenant") });
    const user = UserShape.parse(await api.ask("POST", "/users", { ...body, login, password }));
    const shown = isGenerated ? { password } : {};
    if (args.options.json) printJson(io, { ...user, ...shown });
    else {
      io.err(`created user ${user.login} (id ${user.id}) in tenant ${user.tenant}\n`);
      if (isGenerated) io.out(`${password}\n`);
    }
    return 0;
  },
};
