import { createTenant } from "../../service/tenant/create.ts";
import { positional } from "../admin/arguments.ts";
import type { Command } from "../command.ts";
import { asRescue } from "../rescue.ts";

export const tenantCreate: Command = {
  name: "tenant create",
  summary: "Create a tenant, as root of this box.",
  positionals: ["NAME"],
  options: { json: { type: "flag", doc: "Print JSON, for programs." } },
  examples: ["qvd tenant create default"],
  async run(io, args) {
    const name = positional(args, 0, "NAME");
    const { tenantId } = await asRescue(io, "qvd tenant create", (context) =>
      createTenant(context, { name }),
    );
    if (args.options.json === true) io.out(`${JSON.stringify({ id: tenantId, name })}\n`);
    else io.err(`created tenant ${name} (id ${tenantId})\n`);
    return 0;
  },
};
