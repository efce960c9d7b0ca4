/** Commands of administrators as if typed in a shell, against the real API over TLS. */

import { adminCommands } from "../../src/cli/admin-commands.ts";
import { parseCommandArgs } from "../../src/cli/parse-args.ts";
import { describeError } from "../../src/lib/errors.ts";
import type { Wat } from "../system/wat-support.ts";
import { PASSWORD } from "./wat-site.ts";

/** What was printed, what was said, and how it ended; -1 where it was refused. */
export type Typed = { readonly out: string; readonly err: string; readonly code: number };

export function typeAs(
  wat: () => Pick<Wat, "url" | "caFile">,
  login: string,
  home = "/nonexistent",
): (name: string, ...words: readonly string[]) => Promise<Typed> {
  return async function type(name, ...words) {
    const command = await adminCommands.find((entry) => entry.name === name)?.load();
    if (command === undefined) throw new Error(`there is no command ${name}`);
    const { url, caFile } = wat();
    const said = { out: "", err: "", code: -1 };
    const io = {
      out: (text: string) => {
        said.out += text;
      },
      err: (text: string) => {
        said.err += text;
      },
      env: { HOME: home, QVD_API_URL: url, QVD_API_CA: caFile, QVD_LOGIN: login, QVD_PASSWORD: PASSWORD },
      isTerminal: false,
      signal: new AbortController().signal,
    };
    try {
      said.code = await command.run(io, parseCommandArgs(command, words));
    } catch (error) {
      said.err += describeError(error);
    }
    return said;
  };
}
