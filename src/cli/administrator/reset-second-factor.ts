import { listAdministrators } from "../../db/queries/administrators.ts";
import { type AdministratorId, asId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { resetAdministratorSecondFactor } from "../../service/administrator/reset-second-factor.ts";
import { positional } from "../admin/arguments.ts";
import type { Command } from "../command.ts";
import { asRescue } from "../rescue.ts";

export const administratorResetSecondFactor: Command = {
  name: "administrator reset-second-factor",
  summary: "Take an administrator's second factor away, as root of this box.",
  positionals: ["LOGIN"],
  details:
    "For administrators who lost their phone and their recovery codes; it goes to the database directly and ends their sign-ins. LOGIN is `login`, or `login@tenant` for an administrator of one tenant.",
  examples: ["qvd administrator reset-second-factor admin"],
  async run(io, args) {
    const name = positional(args, 0, "LOGIN");
    await asRescue(io, "qvd administrator reset-second-factor", async (context) => {
      const administrators = await listAdministrators(context.db);
      const found = administrators.find(
        ({ login, tenant }) => name === login || name === `${login}@${tenant}`,
      );
      if (found === undefined) throw new AppError("not-found", `there is no administrator ${name}`);
      await resetAdministratorSecondFactor(context, { administratorId: asId<AdministratorId>(found.id) });
      io.err(`reset the second factor of administrator ${name}; their sign-ins have ended\n`);
    });
    return 0;
  },
};
