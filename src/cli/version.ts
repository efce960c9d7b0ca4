import { readVersion } from "../version.ts";
import type { Command } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the version of this executable.",
  examples: ["qvd version"],
  async run(io) {
    io.out(`qvd ${readVersion()}\n`);
    return 0;
  },
};
