import { flag, positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmDelete: Command = {
  name: "vm delete",
  summary: "Delete a desktop; its home is put aside, not removed.",
  positionals: ["VM"],
  options: { "dry-run": { type: "flag", doc: "Only say what would be deleted, or why not." } },
  details: "Only a stopped desktop is deleted.",
  examples: ["qvd vm delete ann-desk", "qvd vm delete ann-desk --dry-run"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    const what = `desktop ${vm.name} (id ${vm.id}) of user ${vm.user}`;
    if (flag(args, "dry-run")) {
      await api.ask("DELETE", `/vms/${vm.id}?trial=yes`);
      io.err(`would delete ${what}\n`);
      return 0;
    }
    await api.ask("DELETE", `/vms/${vm.id}`);
    io.err(`deleted ${what}\n`);
    return 0;
  },
};
