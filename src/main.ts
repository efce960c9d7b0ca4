/** argv → command table; nothing else. */

import type { CommandIo } from "./cli/command.ts";
import { COMMANDS } from "./cli/commands.ts";
import { runCommand } from "./cli/run-command.ts";
import { tell } from "./cli/tell.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(name));

// Standard streams are opened when they are asked for: an agent needs none, and they cost each desktop 1.3 MB.
const io: CommandIo = {
  out: (text) => {
    // A reader that has left (`qvd vm list | head`) is not a fault.
    if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", () => process.exit(0));
    process.stdout.write(text);
  },
  err: tell,
  env: process.env,
  get isTerminal() {
    return process.stdin.isTTY === true && process.stderr.isTTY === true;
  },
  signal: stop.signal,
};
process.exitCode = await runCommand(COMMANDS, process.argv.slice(2), io);
// Whatever a command left open (a pool, a timer) must not keep its process.
process.exit();
