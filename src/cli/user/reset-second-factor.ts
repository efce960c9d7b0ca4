import { z } from "zod";
import { positional } from "../admin/arguments.ts";
import { findUser } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

const SetUp = z.object({ isSetUp: z.boolean() });

export const userResetSecondFactor: Command = {
  name: "user reset-second-factor",
  summary: "Take a user's second factor away, for one whose phone is lost.",
  positionals: ["USER"],
  details:
    "Their password alone counts again; where the site requires a second factor they set up a new one at their next sign-in in a browser. Make sure that it is they who ask.",
  examples: ["qvd user reset-second-factor ann"],
  async run(io, args) {
    const api = await openApi(io.env);
    const user = await findUser(api, positional(args, 0, "USER"));
    const path = `/users/${user.id}/second-factor`;
    if (!SetUp.parse(await api.ask("GET", path)).isSetUp) {
      io.err(`user ${user.login} has no second factor: nothing to reset\n`);
      return 0;
    }
    await api.ask("DELETE", path);
    io.err(`reset the second factor of user ${user.login}\n`);
    return 0;
  },
};
