import { VmShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { given, positional, textOption } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { warnUntagged } from "./warn-untagged.ts";

export const vmChange: Command = {
  name: "vm change",
  summary: "Rename a desktop, or choose another image tag for its next start.",
  positionals: ["VM"],
  options: {
    name: { type: "text", value: "NAME", doc: "The new name." },
    tag: { type: "text", value: "TAG", doc: "Which image of its OSF it runs from the next start on." },
  },
  examples: ["qvd vm change ann-desk --tag next", "qvd vm change ann-desk --name ann-office"],
  async run(io, args) {
    const body = given({ name: textOption(args, "name"), tag: textOption(args, "tag") });
    if (Object.keys(body).length === 0)
      throw new AppError("bad-input", "nothing to change: give --name or --tag");
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    const changed = VmShape.parse(await api.ask("PATCH", `/vms/${vm.id}`, body));
    io.err(`changed desktop ${vm.name}\n`);
    if (body.tag !== undefined) await warnUntagged(io, api, changed);
    return 0;
  },
};
