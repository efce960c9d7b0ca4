import { formatSeconds } from "../../domain/image/span.ts";
import { findOsf } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";

export const osfShow = showCommand({
  name: "osf show",
  summary: "Show an OS flavour: what its desktops get, and what it promises them.",
  positional: "OSF",
  examples: ["qvd osf show office", "qvd osf show 3 --json"],
  find: findOsf,
  facts: (osf) => {
    const limit = (mb: number | null) => (mb === null ? "none" : `${mb} MB`);
    return [
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
    ];
  },
});
