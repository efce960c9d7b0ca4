import { VmShape } from "../../admin/api/shapes.ts";
import { given, positional, requireOption, textOption } from "../admin/arguments.ts";
import { findOsf, findUser } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { warnUntagged } from "./warn-untagged.ts";

export const vmCreate: Command = {
  name: "vm create",
  summary: "Create a desktop for a user.",
  positionals: ["NAME"],
  options: {
    user: { type: "text", value: "USER", doc: "Whose desktop." },
    osf: { type: "text", value: "OSF", doc: "OS flavour that it runs." },
    tag: { type: "text", value: "TAG", doc: "Which image of the flavour; default: `default`." },
    ...JSON_OPTION,
  },
  examples: [
    "qvd vm create ann-desk --user ann --osf office",
    "qvd vm create pilot --user ann --osf office --tag next",
  ],
  async run(io, args) {
    const name = positional(args, 0, "NAME");
    const [owner, flavour] = [requireOption(args, "user"), requireOption(args, "osf")];
    const api = await openApi(io.env);
    const user = await findUser(api, owner);
    const osf = await findOsf(api, flavour);
    const body = { name, userId: user.id, osfId: osf.id, ...given({ tag: textOption(args, "tag") }) };
    const vm = VmShape.parse(await api.ask("POST", "/vms", body));
    if (args.options.json) printJson(io, vm);
    else io.err(`created desktop ${vm.name} (id ${vm.id}) of ${vm.user} at ${vm.address}\n`);
    await warnUntagged(io, api, vm);
    return 0;
  },
};
