import { VisitShape } from "../../admin/api/shapes.ts";
import { flag, positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmWatch: Command = {
  name: "vm watch",
  summary: "Ask to see the session that somebody has open in a browser.",
  positionals: ["VM"],
  options: {
    ...JSON_OPTION,
    control: { type: "flag", doc: "Also to work in it, with their keyboard and pointer." },
  },
  details: [
    "Prints a link for a browser, good once, within a minute. The person at the desktop is asked there and then, unless",
    "the setting vma.x11vnc.confirm.enabled says otherwise; they see who watches, and may end it at any time.",
  ].join("\n"),
  examples: ["qvd vm watch ann-desk", "qvd vm watch ann-desk --control"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    const answer = await api.ask("POST", `/vms/${vm.id}/watch`, { mayControl: flag(args, "control") });
    const { address } = VisitShape.parse(answer);
    if (args.options.json) printJson(io, { id: vm.id, name: vm.name, address });
    else io.out(`${address}\n`);
    return 0;
  },
};
