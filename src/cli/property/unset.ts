import { AppError } from "../../lib/errors.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { findOwnerPath, OWNER_DETAILS } from "./find-owner.ts";

export const propertyUnset: Command = {
  name: "property unset",
  summary: "Remove properties of a user, desktop, node, OSF or image.",
  positionals: ["KIND", "NAME", "KEY…"],
  details: OWNER_DETAILS,
  examples: ["qvd property unset user ann printer"],
  async run(io, args) {
    const keys = args.positionals.slice(2);
    if (keys.length === 0) throw new AppError("bad-input", "KEY is missing", { field: "KEY" });
    const api = await openApi(io.env);
    const path = await findOwnerPath(api, args);
    for (const key of keys) {
      await api.ask("DELETE", `${path}/${encodeURIComponent(key)}`);
      io.err(`removed ${key}\n`);
    }
    return 0;
  },
};
