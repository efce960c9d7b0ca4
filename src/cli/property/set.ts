import { AppError } from "../../lib/errors.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { findOwnerPath, OWNER_DETAILS } from "./find-owner.ts";

export const propertySet: Command = {
  name: "property set",
  summary: "Give a user, desktop, node, OSF or image properties.",
  positionals: ["KIND", "NAME", "KEY=VALUE…"],
  details: `${OWNER_DETAILS} Hooks get those of OSF, image, user and desktop, the later winning.`,
  examples: [
    "qvd property set user ann printer=lp-2nd-floor",
    "qvd property set osf office site=berlin floor=2",
  ],
  async run(io, args) {
    const pairs = args.positionals.slice(2).map(parsePair);
    if (pairs.length === 0) throw new AppError("bad-input", "KEY=VALUE is missing", { field: "KEY=VALUE" });
    const api = await openApi(io.env);
    const path = await findOwnerPath(api, args);
    for (const { key, value } of pairs) {
      await api.ask("PUT", `${path}/${encodeURIComponent(key)}`, { value });
      io.err(`set ${key}\n`);
    }
    return 0;
  },
};

function parsePair(text: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw new AppError("bad-input", `${JSON.stringify(text)} is not KEY=VALUE`);
}
