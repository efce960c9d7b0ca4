import { ImageShape } from "../../admin/api/shapes.ts";
import { positional } from "../admin/arguments.ts";
import { findImage } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const imagePublish: Command = {
  name: "image publish",
  summary: "Make an image the newest of its OS flavour; desktops of its tags start from it next.",
  positionals: ["IMAGE", "[TAG]…"],
  details: [
    "IMAGE is an id or OSF:VERSION. It gets the tag head, default if no image has that, and each TAG named; name",
    "default to move that as well. Desktops that run on an older image are asked, and made, to restart after the",
    "times that the flavour defines. `qvd image tag` on the older image rolls back.",
  ].join("\n"),
  examples: ["qvd image publish office:v8", "qvd image publish office:v8 default"],
  async run(io, args) {
    const api = await openApi(io.env);
    const image = await findImage(api, positional(args, 0, "IMAGE"));
    const answer = await api.ask("POST", `/images/${image.id}/publish`, { tags: args.positionals.slice(1) });
    const { osf, version, tags } = ImageShape.parse(answer);
    io.err(`published ${osf}:${version}; it has the tags ${tags.join(", ")}\n`);
    return 0;
  },
};
