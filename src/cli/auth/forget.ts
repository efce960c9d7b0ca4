import { positional } from "../admin/arguments.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const authForget: Command = {
  name: "auth forget",
  summary: "Forget failures to sign in, so that the next try is looked at at once.",
  positionals: ["ID"],
  details: "ID is what `qvd auth slowed` shows. Who did it is kept in the audit log.",
  examples: ["qvd auth forget 0123456789abcdef01234567"],
  async run(io, args) {
    const api = await openApi(io.env);
    await api.ask("DELETE", `/auth/slowed/${encodeURIComponent(positional(args, 0, "ID"))}`);
    io.err("forgotten\n");
    return 0;
  },
};
