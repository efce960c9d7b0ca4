import { UserShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { flag, given, positional, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { chooseNewPassword, GENERATE_OPTION, readPassword } from "../admin/read-password.ts";
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
    "qvd4-hash": {
      type: "flag",
      doc: "Read the hash that QVD 4 kept of their password, in place of the password.",
    },
    ...JSON_OPTION,
  },
  details:
    "The password is prompted for on a terminal, else read from stdin. A hash of QVD 4 is replaced by one of today when they first sign in.",
  examples: ['qvd user create ann --name "Ann Ford"', "qvd user create bob --generate"],
  async run(io, args) {
    const login = positional(args, 0, "LOGIN");
    const isGenerated = flag(args, "generate");
    const api = await openApi(io.env);
    const isTakenOver = flag(args, "qvd4-hash");
    if (isTakenOver && isGenerated)
      throw new AppError("bad-input", "creating a user: --generate and --qvd4-hash exclude each other");
    const secret = isTakenOver
      ? { qvd4Hash: await readPassword(io, `Hash of ${login}: `) }
      : { password: await chooseNewPassword(io, login, isGenerated) };
    const body = given({ fullName: textOption(args, "name"), tenant: textOption(args, "tenant") });
    const user = UserShape.parse(await api.ask("POST", "/users", { ...body, login, ...secret }));
    const shown = isGenerated ? secret : {};
    if (args.options.json) printJson(io, { ...user, ...shown });
    else {
      io.err(`created user ${user.login} (id ${user.id}) in tenant ${user.tenant}\n`);
      if (isGenerated) io.out(`${secret.password}\n`);
    }
    return 0;
  },
};
