import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmDisconnect: Command = {
  name: "vm disconnect",
  summary: "End the live session of a desktop; the desktop and its programs go on.",
  positionals: ["VM"],
  examples: ["qvd vm disconnect ann-desk"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/disconnect`);
    io.err(`asked for the end of the session of ${vm.name}\n`);
    return 0;
  },
};
