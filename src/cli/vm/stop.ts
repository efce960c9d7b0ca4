import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { MANY_OPTIONS, wishMany } from "./wish-many.ts";

export const vmStop: Command = {
  name: "vm stop",
  summary: "Wish desktops stopped; their nodes shut them down gracefully, then by force.",
  positionals: ["[VM]…"],
  options: MANY_OPTIONS,
  examples: ["qvd vm stop ann-desk", "qvd vm stop ann-desk bob-desk", "qvd vm stop --osf office"],
  async run(io, args) {
    const api = await openApi(io.env);
    const isOne = args.positionals.length === 1 && Object.values(args.options).every((value) => !value);
    if (!isOne) return await wishMany(io, args, { api, verb: "stop" });
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/stop`);
    io.err(`wished ${vm.name} stopped\n`);
    return 0;
  },
};
