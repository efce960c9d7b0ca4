import { OsfShape } from "../../admin/api/shapes.ts";
import { listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const osfList: Command = {
  name: "osf list",
  summary: "List OS flavours: what desktops are made of and how much they get.",
  options: JSON_OPTION,
  examples: ["qvd osf list"],
  async run(io, args) {
    const api = await openApi(io.env);
    const osfs = await listAll(api, "/osfs", OsfShape, new URLSearchParams());
    if (args.options.json) printJson(io, osfs);
    else {
      const rows = osfs.map((osf) => [
        String(osf.id),
        osf.name,
        osf.tenant,
        `${osf.memoryMb} MB`,
        String(osf.cpus),
        String(osf.images),
        String(osf.desktops),
      ]);
      printTable(io, ["ID", "NAME", "TENANT", "MEMORY", "CPUS", "IMAGES", "DESKTOPS"], rows);
    }
    return 0;
  },
};
