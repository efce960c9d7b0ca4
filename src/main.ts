/** argv → command table; nothing else. */

import type { CommandIo } from "./cli/command.ts";
import { COMMANDS } from "./cli/commands.ts";
import { runCommand } from "./cli/run-command.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(name));
// A reader that has left (`qvd vm list | head`) is not a fault.
process.stdout.on("error", () => process.exit(0));

const io: CommandIo = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  isTerminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
  signal: stop.signal,
};
process.exitCode = await runCommand(COMMANDS, process.argv.slice(2), io);
// Whatever a command left open (a pool, a timer) must not keep its process.
process.exit();
