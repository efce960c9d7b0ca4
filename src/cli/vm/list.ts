import { VmShape } from "../../admin/api/shapes.ts";
import { given, textOption } from "../admin/arguments.ts";
import { findUser, listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmList: Command = {
  name: "vm list",
  summary: "List desktops with what they do now.",
  options: {
    search: { type: "text", value: "TEXT", doc: "Only those whose name, user or address contains it." },
    state: {
      type: "text",
      value: "STATE",
      doc: "Only those in this state: running, stopped, starting, stopping, zombie.",
    },
    user: { type: "text", value: "USER", doc: "Only those of this user." },
    ...JSON_OPTION,
  },
  examples: ["qvd vm list", "qvd vm list --state running", "qvd vm list --user ann --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const owner = textOption(args, "user");
    const user = owner === undefined ? undefined : String((await findUser(api, owner)).id);
    const fields = given({ search: textOption(args, "search"), state: textOption(args, "state"), user });
    const vms = await listAll(api, "/vms", VmShape, new URLSearchParams(fields));
    if (args.options.json) printJson(io, vms);
    else {
      const rows = vms.map((vm) => [
        String(vm.id),
        vm.name,
        vm.user,
        vm.isBlocked ? `${vm.state}, blocked` : vm.state,
        vm.isConnected ? "connected" : vm.xState === "none" ? "-" : vm.xState,
        `${vm.osf}:${vm.tag}`,
        vm.address,
        vm.node ?? "-",
      ]);
      printTable(io, ["ID", "NAME", "USER", "STATE", "SESSION", "IMAGE", "ADDRESS", "NODE"], rows);
    }
    return 0;
  },
};
