import { existsSync } from "node:fs";
import { askUnlock } from "../../guest/ask-unlock.ts";
import { MACHINE_PORT } from "../../guest/default-deps.ts";
import { guestPlaces } from "../../guest/places.ts";
import { AppError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";

export const guestUnlock: Command = {
  name: "guest unlock",
  summary: "Prove a desktop's user to what locks their screen (for PAM).",
  details:
    "Reads what was typed from stdin, as pam_exec hands it over (`auth required pam_exec.so quiet stdout expose_authtok /opt/qvd/qvd guest unlock`), and has it judged as a sign-in of the desktop's own user.",
  examples: ["PAM_USER=ann qvd guest unlock < /dev/stdin"],
  exitCodes: { 1: "it does not unlock the screen" },
  async run(io) {
    if (!existsSync("/opt/qvd/init") && !existsSync(MACHINE_PORT))
      throw new AppError(
        "forbidden",
        "qvd guest unlock asks a desktop's agent, so it runs inside a desktop only",
      );
    // pam_exec ends it with a zero byte.
    const typed = (await Bun.stdin.text()).split("\u0000")[0] ?? "";
    const { unlock } = guestPlaces();
    const { isUnlocked, text } = await askUnlock(unlock, { login: io.env.PAM_USER ?? "", secret: typed });
    if (text !== "") io.out(`${text}\n`);
    return isUnlocked ? 0 : 1;
  },
};
