import { findImage } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";
import { describeProgress } from "./progress-line.ts";

export const imageShow = showCommand({
  name: "image show",
  summary: "Show an image: what it is, how far it has come, who uses it.",
  positional: "IMAGE",
  details: "IMAGE is an id or OSF:VERSION.",
  examples: ["qvd image show office:v7", "qvd image show 12 --json"],
  find: findImage,
  facts: (image) => {
    const progress = image.doneBytes === null ? null : describeProgress(image.doneBytes, image.totalBytes);
    return [
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
    ];
  },
});
