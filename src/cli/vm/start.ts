import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { MANY_OPTIONS, wishMany } from "./wish-many.ts";

export const vmStart: Command = {
  name: "vm start",
  summary: "Wish desktops running; their nodes start them.",
  positionals: ["[VM]…"],
  options: MANY_OPTIONS,
  examples: ["qvd vm start ann-desk", "qvd vm start ann-desk bob-desk", "qvd vm start --osf office"],
  async run(io, args) {
    const api = await openApi(io.env);
    const isOne = args.positionals.length === 1 && Object.values(args.options).every((value) => !value);
    if (!isOne) return await wishMany(io, args, { api, verb: "start" });
    const vm = await findVm(api, positional(args, 0, "VM"));
    await api.ask("POST", `/vms/${vm.id}/start`);
    io.err(`wished ${vm.name} running; \`qvd vm explain ${vm.name}\` tells how it goes\n`);
    return 0;
  },
};
