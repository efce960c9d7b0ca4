import { existsSync } from "node:fs";
import { MACHINE_PORT } from "../../guest/default-deps.ts";
import { formatSharingFailure } from "../../guest/peripherals/sharing-failure.ts";
import { openSlaveDoor } from "../../guest/peripherals/slave-door.ts";
import { guestPlaces } from "../../guest/places.ts";
import { AppError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";

export const guestSlave: Command = {
  name: "guest slave",
  summary: "Serve one connection of a session's slave channel (for nxagent).",
  details:
    "Reads a request from descriptor 0, answers on descriptor 3, and prints the command that takes the connection over, quoted for sh; nothing when all is said. Run by nx-slave in the agent's folder.",
  async run(io) {
    if (!existsSync("/opt/qvd/init") && !existsSync(MACHINE_PORT))
      throw new AppError("forbidden", "qvd guest slave serves a session, so it runs inside a desktop only");
    const { slaveKey } = guestPlaces();
    const options = { input: 0, output: 3, keyFile: slaveKey, home: io.env.HOME ?? "/" };
    const { command, failure } = openSlaveDoor(options);
    if (failure !== undefined) io.err(formatSharingFailure(failure));
    if (command.length > 0) io.out(`${command.map(quote).join(" ")}\n`);
    return 0;
  },
};

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
