/** `vm start` and `vm stop` of more than one desktop: by their names, of an OSF, or all. */

import { WishedShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { flag, textOption } from "../admin/arguments.ts";
import { findOsf, findVm } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import type { Api } from "../api-client.ts";
import type { CommandArgs, CommandIo, OptionSpec } from "../command.ts";

export const MANY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  osf: { type: "text", value: "OSF", doc: "All desktops of this OSF." },
  all: { type: "flag", doc: "All desktops that you may see." },
  "dry-run": { type: "flag", doc: "Only say how many it would concern, and what would be refused." },
  ...JSON_OPTION,
};

/** Returns the exit code: 1 when any was refused. */
export async function wishMany(
  io: CommandIo,
  args: CommandArgs,
  of: { readonly api: Api; readonly verb: "start" | "stop" },
): Promise<number> {
  const { api, verb } = of;
  const isDryRun = flag(args, "dry-run");
  const body = await readWhich(api, args);
  const path = `/vms/${verb}${isDryRun ? "?trial=yes" : ""}`;
  const done = WishedShape.parse(await api.ask("POST", path, body));
  if (flag(args, "json")) printJson(io, done);
  const wished = `${done.wished} ${done.wished === 1 ? "desktop" : "desktops"} ${verb === "start" ? "running" : "stopped"}`;
  const before = done.unchanged === 0 ? "" : `, ${done.unchanged} wished so already`;
  io.err(`${isDryRun ? "would wish" : "wished"} ${wished}${before}\n`);
  for (const { id, message } of done.refused) io.err(`desktop ${id}: ${message}\n`);
  return done.refused.length === 0 ? 0 : 1;
}

async function readWhich(api: Api, args: CommandArgs): Promise<Record<string, unknown>> {
  const osf = textOption(args, "osf");
  const given = [args.positionals.length > 0, osf !== undefined, flag(args, "all")];
  if (given.filter(Boolean).length !== 1)
    throw new AppError("bad-input", "name desktops, or give one of --osf and --all");
  if (osf !== undefined) return { osfId: (await findOsf(api, osf)).id };
  if (args.positionals.length === 0) return { all: true };
  const ids: number[] = [];
  for (const name of args.positionals) ids.push((await findVm(api, name)).id);
  return { ids };
}
