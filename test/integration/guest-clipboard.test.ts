/** The program that holds what was copied, at a display that doesn't answer. */

import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { displayPrograms } from "../../src/guest/display/programs.ts";

const DISPLAY = 987;
const user = {
  account: { login: "root", uid: 0, fullName: "" },
  ...{ gid: 0, home: "/", shell: "/bin/sh" },
};

test("a text that nothing comes to hold is given up, and what it was given to is gone", async () => {
  mkdirSync("/tmp/.X11-unix", { recursive: true, mode: 0o1777 });
  const path = `/tmp/.X11-unix/X${DISPLAY}`;
  rmSync(path, { force: true });
  let ended = 0;
  const mute = { data() {}, close: () => void ended++ };
  const server = Bun.listen({ unix: path, socket: mute });
  try {
    expect(await displayPrograms.writeClipboard(user, "text", `:${DISPLAY}`)).toBe(false);
    expect(ended).toBe(1);
  } finally {
    server.stop(true);
    rmSync(path, { force: true });
  }
}, 60_000);
