import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { JSON_OPTION, printFacts, printJson, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { describeProgress } from "./progress-line.ts";

export const imageShow: Command = {
  name: "image show",
  summary: "Show an image: what it is, how far it has come, who uses it.",
  positionals: ["IMAGE"],
  options: JSON_OPTION,
  details: "IMAGE is an id or OSF:VERSION.",
  examples: ["qvd image show office:v7", "qvd image show 12 --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    if (args.options.json) printJson(io, image);
    else {
      const progress = image.doneBytes === null ? null : describeProgress(image.doneBytes, image.totalBytes);
      printFacts(io, [
        ["id", String(image.id)],
        ["image", `${image.osf}:${image.version}`],
        ["kind", image.kind === "disk" ? "disk of virtual machines" : "root file system of containers"],
        ["state", image.state],
        ["progress", progress],
        ["fault", image.fault],
        ["tags", image.tags.join(" ")],
        ["published", image.publishedAt],
        ["retired", image.retiredAt],
        ["blocked", yesNo(image.isBlocked)],
        ["desktops", `${image.running} running on it`],
        ["file", image.fileName],
        ["from", image.sourceUrl],
        ["size", image.sizeBytes === null ? null : `${Math.ceil(image.sizeBytes / 1e6)} MB`],
        ["sha256", image.sha256],
        ["added", image.createdAt],
      ]);
    }
    return 0;
  },
};
