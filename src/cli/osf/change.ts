import { AppError } from "../../lib/errors.ts";
import { given, positional, textOption } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const osfChange: Command = {
  name: "osf change",
  summary: "Rename an OS flavour or change what its desktops get from their next start on.",
  positionals: ["OSF"],
  options: {
    name: { type: "text", value: "NAME", doc: "The new name." },
    memory: { type: "text", value: "MB", doc: "Memory of each desktop in MB." },
    cpus: { type: "text", value: "NUMBER", doc: "Processors of each desktop." },
  },
  examples: ["qvd osf change office --memory 2048"],
  async run(io, args) {
    const body = given({
      name: textOption(args, "name"),
      memoryMb: textOption(args, "memory"),
      cpus: textOption(args, "cpus"),
    });
    if (Object.keys(body).length === 0) {
      throw new AppError("bad-input", "nothing to change: give --name, --memory or --cpus");
    }
    const api = await openApi(io.env);
    const osf = await findOsf(api, positional(args, 0, "OSF"));
    await api.ask("PATCH", `/osfs/${osf.id}`, body);
    io.err(`changed OSF ${osf.name}\n`);
    return 0;
  },
};
