import { existsSync } from "node:fs";
import { MACHINE_PORT } from "../../guest/default-deps.ts";
import { serveViewers } from "../../guest/screen/serve-viewers.ts";
import { AppError } from "../../lib/errors.ts";
import type { Command } from "../command.ts";

export const guestScreen: Command = {
  name: "guest screen",
  summary: "Draw a session's screen for its browsers (for the agent).",
  positionals: ["DISPLAY", "SOCKET"],
  details:
    "Reads the X server whose socket DISPLAY is, and serves the agent at SOCKET, until its standard input ends. Run as the session's user.",
  async run(io, { positionals: [display = "", socket = ""] }) {
    if (!existsSync("/opt/qvd/init") && !existsSync(MACHINE_PORT))
      throw new AppError("forbidden", "qvd guest screen serves a session, so it runs inside a desktop only");
    const say = (line: string) => io.err(`${line}\n`);
    const { stop } = await serveViewers({ display, socket, say });
    const ended = new Promise<void>((resolve) => {
      process.stdin.on("end", resolve).on("error", resolve).resume();
      io.signal.addEventListener("abort", () => resolve());
    });
    await ended;
    stop();
    return 0;
  },
};
