import { ImageShape } from "../../admin/api/shapes.ts";
import { textOption } from "../admin/arguments.ts";
import { findOsf, listAll } from "../admin/find.ts";
import { JSON_OPTION, printJson, printTable, yesNo } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imageList: Command = {
  name: "image list",
  summary: "List images with their OS flavour, state and tags.",
  options: { osf: { type: "text", value: "OSF", doc: "Only those of this OS flavour." }, ...JSON_OPTION },
  examples: ["qvd image list", "qvd image list --osf office --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    const flavour = textOption(args, "osf");
    const query = new URLSearchParams();
    if (flavour !== undefined) query.set("osf", String((await findOsf(api, flavour)).id));
    const images = await listAll(api, "/images", ImageShape, query);
    if (args.options.json) printJson(io, images);
    else {
      const rows = images.map((image) => [
        String(image.id),
        `${image.osf}:${image.version}`,
        stateOf(image),
        image.tags.join(" ") || "-",
        image.sizeBytes === null ? "-" : `${Math.ceil(image.sizeBytes / 1e6)} MB`,
        yesNo(image.isBlocked),
      ]);
      printTable(io, ["ID", "IMAGE", "STATE", "TAGS", "SIZE", "BLOCKED"], rows);
      for (const { osf, version, fault } of images)
        if (fault !== null) io.out(`\n${osf}:${version} failed: ${fault}\n`);
    }
    return 0;
  },
};

function stateOf({ state, doneBytes, totalBytes, publishedAt, retiredAt }: ImageShape): string {
  if (state === "fetching" && doneBytes !== null && totalBytes)
    return `fetching ${Math.floor((doneBytes / totalBytes) * 100)} %`;
  if (retiredAt !== null) return "retired";
  return state === "ready" && publishedAt !== null ? "published" : state;
}
