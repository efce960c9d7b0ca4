import { PropertiesShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { flag } from "../admin/arguments.ts";
import { JSON_OPTION, printJson, printTable } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { findOwnerPath, OWNER_DETAILS } from "./find-owner.ts";

export const propertyList: Command = {
  name: "property list",
  summary: "List the properties of a user, desktop, node, OSF or image.",
  positionals: ["KIND", "NAME"],
  options: {
    merged: { type: "flag", doc: "Of a desktop: with those of its OSF, image and user, as hooks get them." },
    ...JSON_OPTION,
  },
  details: OWNER_DETAILS,
  examples: ["qvd property list user ann", "qvd property list vm ann-desk --merged --json"],
  async run(io, args) {
    const api = await openApi(io.env);
    if (flag(args, "merged") && args.positionals[0] !== "vm")
      throw new AppError("bad-input", "--merged is of a desktop: `qvd property list vm NAME --merged`");
    const path = await findOwnerPath(api, args);
    const found = PropertiesShape.parse(
      await api.ask("GET", `${path}${flag(args, "merged") ? "?merged=yes" : ""}`),
    );
    if (args.options.json) printJson(io, found);
    else printTable(io, ["NAME", "VALUE"], Object.entries(found));
    return 0;
  },
};
