import type { OsfShape } from "../../admin/api/shapes.ts";
import { given, positional, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { createProposedOsf } from "./create-proposed.ts";
import { givenPolicy, OSF_POLICY_OPTIONS, requireKeeping } from "./policy-options.ts";

export const osfCreate: Command = {
  name: "osf create",
  summary: "Create an OS flavour, which images are then added to.",
  positionals: ["NAME"],
  options: {
    memory: {
      type: "text",
      field: "memoryMb",
      value: "MB",
      doc: "Memory of each desktop in MB; default 1024.",
    },
    cpus: { type: "text", value: "NUMBER", doc: "Processors of each desktop; default 2." },
    tenant: { type: "text", value: "TENANT", doc: "Whose; default: your own tenant, else `default`." },
    ...OSF_POLICY_OPTIONS,
    ...JSON_OPTION,
  },
  examples: ["qvd osf create office", "qvd osf create cad --memory 8192 --cpus 4"],
  async run(io, args) {
    const name = positional(args, 0, "NAME");
    requireKeeping(args, textOption(args, "persistence") ?? "home");
    const api = await openApi(io.env);
    const fields = given({
      memoryMb: textOption(args, "memory"),
      cpus: textOption(args, "cpus"),
      tenant: textOption(args, "tenant"),
    });
    const osf = await createProposedOsf(api, { name, ...fields, ...givenPolicy(args) });
    if (args.options.json) printJson(io, osf);
    else
      io.err(
        `created OSF ${osf.name} (id ${osf.id}): ${osf.memoryMb} MB, ${osf.cpus} CPUs, ${formatLimits(osf)}\n`,
      );
    return 0;
  },
};

/** What of its disks has an end. */
function formatLimits({ homeMb, systemMb, hypervisor }: OsfShape): string {
  const of = (mb: number | null) => (mb === null ? "no limit" : `at most ${mb} MB`);
  const home = `homes of ${of(homeMb)}`;
  return hypervisor === "kvm" ? home : `${home}, systems of ${of(systemMb)}`;
}
