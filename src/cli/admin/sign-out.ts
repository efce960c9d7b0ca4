import { isAppError } from "../../lib/errors.ts";
import { forgetToken, openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const adminSignOut: Command = {
  name: "admin sign-out",
  summary: "End the sign-in of this account and forget its token.",
  examples: ["qvd admin sign-out"],
  async run(io) {
    try {
      const api = await openApi(io.env);
      await api.ask("POST", "/sign-out");
    } catch (error) {
      // What is over already needs no ending; anything else must not pass for a sign-out.
      if (!isAppError(error) || error.code !== "not-signed-in") throw error;
    }
    await forgetToken(io.env);
    io.err("signed out\n");
    return 0;
  },
};
