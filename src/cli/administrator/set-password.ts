import { hashPassword } from "../../auth/password.ts";
import { listAdministrators } from "../../db/queries/administrators.ts";
import { type AdministratorId, asId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { setAdministratorPassword } from "../../service/administrator/set-password.ts";
import { flag, positional } from "../admin/arguments.ts";
import { chooseNewPassword, GENERATE_OPTION } from "../admin/read-password.ts";
import type { Command } from "../command.ts";
import { asRescue } from "../rescue.ts";

export const administratorSetPassword: Command = {
  name: "administrator set-password",
  summary: "Give an administrator a new password, as root of this box.",
  positionals: ["LOGIN"],
  options: GENERATE_OPTION,
  details:
    "For administrators who lost theirs; it goes to the database directly and ends their sign-ins. LOGIN is `login`, or `login@tenant` for an administrator of one tenant.",
  examples: ["qvd administrator set-password admin --generate"],
  async run(io, args) {
    const name = positional(args, 0, "LOGIN");
    const isGenerated = flag(args, "generate");
    await asRescue(io, "qvd administrator set-password", async (context) => {
      const administrators = await listAdministrators(context.db);
      const found = administrators.find(
        ({ login, tenant }) => name === login || name === `${login}@${tenant}`,
      );
      if (found === undefined) throw new AppError("not-found", `there is no administrator ${name}`);
      const password = await chooseNewPassword(io, name, isGenerated);
      await setAdministratorPassword(
        context,
        { hashPassword },
        { administratorId: asId<AdministratorId>(found.id), password },
      );
      io.err(`changed the password of administrator ${name}\n`);
      if (isGenerated) io.out(`${password}\n`);
    });
    return 0;
  },
};
