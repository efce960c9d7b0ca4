import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmUnblock: Command = {
  name: "vm unblock",
  summary: "Let a blocked desktop be used again.",
  positionals: ["VM"],
  examples: ["qvd vm unblock ann-desk"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/unblock`);
    io.err(`unblocked ${vm.name}\n`);
    return 0;
  },
};
