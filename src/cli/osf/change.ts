import { AppError } from "../../lib/errors.ts";
import { given, positional, textOption } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { givenPolicy, OSF_POLICY_CHANGES, requireKeeping } from "./policy-options.ts";

export const osfChange: Command = {
  name: "osf change",
  summary: "Rename an OS flavour or change what its desktops get from their next start on.",
  positionals: ["OSF"],
  options: {
    name: { type: "text", value: "NAME", doc: "The new name." },
    memory: { type: "text", field: "memoryMb", value: "MB", doc: "Memory of each desktop in MB." },
    cpus: { type: "text", value: "NUMBER", doc: "Processors of each desktop." },
    ...OSF_POLICY_CHANGES,
  },
  examples: [
    "qvd osf change office --memory 2048",
    "qvd osf change office --idle-stop 15m --home-limit 2048",
    "qvd osf change lab --persistence folders --keep /var/log,/srv/data",
  ],
  async run(io, args) {
    const body = given({
      name: textOption(args, "name"),
      memoryMb: textOption(args, "memory"),
      cpus: textOption(args, "cpus"),
    });
    const fields = { ...body, ...givenPolicy(args) };
    if (Object.keys(fields).length === 0) {
      throw new AppError("bad-input", "nothing to change: give --name, --memory or any of the other options");
    }
    const api = await openApi(io.env);
    const osf = await findOsf(api, positional(args, 0, "OSF"));
    requireKeeping(args, textOption(args, "persistence") ?? osf.persistence);
    await api.ask("PATCH", `/osfs/${osf.id}`, fields);
    io.err(`changed OSF ${osf.name}\n`);
    return 0;
  },
};
