/** The keyboard of the person's display, so that their desktop types what theirs does. */

import { run } from "../lib/run.ts";

const ASK_MS = 5_000;

/**
 * As the protocol writes it (`pc105/es`); empty where the display doesn't tell, which leaves it to the site. `setxkbmap` comes with
 * every X server of Debian's.
 */
export async function readKeyboard(env: Readonly<Record<string, string>>): Promise<string> {
  if (Bun.which("setxkbmap", { PATH: env.PATH ?? "" }) === null) return "";
  const { exitCode, stdout } = await run(["setxkbmap", "-query"], { env, timeoutMs: ASK_MS });
  return exitCode === 0 ? parseKeyboard(stdout) : "";
}

/** The first of several layouts, which is what keys mean until somebody switches. Models differ in keys that few have. */
export function parseKeyboard(said: string): string {
  const [, layout] = /^layout:\s+([\w+-]{1,32})/m.exec(said) ?? [];
  return layout === undefined ? "" : `pc105/${layout}`;
}
