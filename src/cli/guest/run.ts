import { existsSync } from "node:fs";
import { defaultGuestDeps, MACHINE_PORT } from "../../guest/default-deps.ts";
import { POWER_OFF_EXIT_CODE, runGuest } from "../../guest/run-guest.ts";
import { AppError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";

/** Bound into each container by its node, next to the agent. */
const DESKTOP_MARK = "/opt/qvd/init";

export const guestRun: Command = {
  name: "guest run",
  summary: "Be the agent inside a desktop.",
  details:
    "Started by the desktop's init, which starts it again when it ends. The person's session goes on meanwhile.",
  exitCodes: { [POWER_OFF_EXIT_CODE]: "the desktop is to power off" },
  async run(io) {
    if (!existsSync(DESKTOP_MARK) && !existsSync(MACHINE_PORT)) {
      throw new AppError(
        "forbidden",
        "qvd guest run makes accounts on the machine that it runs on, so it runs inside a desktop only",
      );
    }
    return await runGuest(defaultGuestDeps(), io.signal);
  },
};
