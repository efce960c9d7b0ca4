import { given, positional, textOption } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmBlock: Command = {
  name: "vm block",
  summary: "Refuse new sessions and starts of a desktop; it is not stopped.",
  positionals: ["VM"],
  options: { reason: { type: "text", value: "TEXT", doc: "Why; shown on the desktop's page." } },
  examples: ['qvd vm block ann-desk --reason "under repair"'],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/block`, given({ reason: textOption(args, "reason") }));
    io.err(`blocked ${vm.name}\n`);
    return 0;
  },
};
