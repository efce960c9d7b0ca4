import { positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { JSON_OPTION, printFacts, printJson, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmShow: Command = {
  name: "vm show",
  summary: "Show a desktop: what is wished, what is true.",
  positionals: ["VM"],
  options: JSON_OPTION,
  details: "VM is an id, a name, or name@tenant.",
  examples: ["qvd vm show ann-desk", "qvd vm show 12 --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    if (args.options.json) printJson(io, vm);
    else {
      printFacts(io, [
        ["id", String(vm.id)],
        ["name", vm.name],
        ["tenant", vm.tenant],
        ["user", vm.user],
        ["state", vm.state],
        ["since", vm.stateAt],
        ["wish", vm.wish],
        ["fault", vm.fault],
        ["session", vm.isConnected ? "connected" : vm.xState],
        ["image", `${vm.osf}:${vm.tag}`],
        ["runs version", vm.runningVersion],
        ["address", vm.address],
        ["node", vm.node],
        ["blocked", vm.isBlocked ? `yes: ${vm.blockedReason ?? "no reason given"}` : yesNo(false)],
        ["created", vm.createdAt],
      ]);
    }
    return 0;
  },
};
