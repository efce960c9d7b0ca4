import { findVm } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";

export const vmShow = showCommand({
  name: "vm show",
  summary: "Show a desktop: what is wished, what is true.",
  positional: "VM",
  details: "VM is an id, a name, or name@tenant.",
  examples: ["qvd vm show ann-desk", "qvd vm show 12 --json"],
  find: findVm,
  facts: (vm) => [
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
  ],
});
