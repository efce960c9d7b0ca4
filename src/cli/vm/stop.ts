import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmStop: Command = {
  name: "vm stop",
  summary: "Wish a desktop stopped; its node shuts it down gracefully, then by force.",
  positionals: ["VM"],
  examples: ["qvd vm stop ann-desk"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/stop`);
    io.err(`wished ${vm.name} stopped\n`);
    return 0;
  },
};
