import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmStart: Command = {
  name: "vm start",
  summary: "Wish a desktop running; its node starts it.",
  positionals: ["VM"],
  examples: ["qvd vm start ann-desk"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/start`);
    io.err(`wished ${vm.name} running; \`qvd vm explain ${vm.name}\` tells how it goes\n`);
    return 0;
  },
};
