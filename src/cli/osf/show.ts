import { formatSeconds } from "../../domain/image/span.ts";
import { positional } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import { JSON_OPTION, printFacts, printJson, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const osfShow: Command = {
  name: "osf show",
  summary: "Show an OS flavour: what its desktops get, and what it promises them.",
  positionals: ["OSF"],
  options: JSON_OPTION,
  examples: ["qvd osf show office", "qvd osf show 3 --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const osf = await findOsf(api, positional(args, 0, "OSF"));
    if (args.options.json) printJson(io, osf);
    else {
      const limit = (mb: number | null) => (mb === null ? "none" : `${mb} MB`);
      printFacts(io, [
        ["id", String(osf.id)],
        ["name", osf.name],
        ["tenant", osf.tenant],
        ["hypervisor", osf.hypervisor],
        ["memory", `${osf.memoryMb} MB`],
        ["cpus", String(osf.cpus)],
        ["persistence", osf.persistence],
        ["kept folders", osf.keptFolders.join(", ")],
        ["home limit", limit(osf.homeMb)],
        ["system limit", limit(osf.systemMb)],
        ["idle stop", formatSeconds(osf.idleStopSeconds)],
        ["on crash", osf.onCrash],
        ["neighbours", yesNo(osf.allowsNeighbours)],
        ["soft expiry", formatSeconds(osf.expirySoftSeconds)],
        ["hard expiry", formatSeconds(osf.expiryHardSeconds)],
        ["agent", yesNo(osf.hasAgent)],
        ["console offered", yesNo(osf.offersConsole)],
        ["application", yesNo(osf.isApplication)],
        ["program", osf.program ?? "none"],
        ["images", String(osf.images)],
        ["desktops", String(osf.desktops)],
      ]);
    }
    return 0;
  },
};
