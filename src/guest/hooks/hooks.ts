/**
 * The image's hooks: programs of its maker, run as root inside the desktop at QVD 4's moments with key and value
 * arguments in pairs. A hook is named in `/etc/qvd/vma.conf`, as in QVD 4, or lies in `/etc/qvd/hooks` under
 * its own name; the former goes first.
 *
 * | moment       | hooks                                                   | runs      | failing                   |
 * |---|---|---|---|
 * | action       | pre-connect connect suspend stop poweroff expire        | before it | the action is given up    |
 * | provisioning | mount_home add_user (instead of ours) after_add_user    | in it     | the session is given up   |
 * | state        | connected suspended disconnected                        | beside it | is told                   |
 *
 * Every failure is told to the node, whose trail shows it. Who calls the hooks, and what becomes of an action,
 * is the session's to decide.
 */

import { existsSync, readFileSync, statSync } from "node:fs";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { runToFile } from "../../lib/run.ts";
import type { GuestHook } from "../../wire/guest/messages.ts";
import { confKeyOf, parseVmaConf } from "./parse-vma-conf.ts";

export type HookPairs = Readonly<Record<string, string>>;

export type HookOutcome =
  | { readonly kind: "absent" | "done" }
  | { readonly kind: "failed"; readonly text: string };

export type GuestHooksOptions = {
  readonly log: Log;
  /** Called for each failure; `text` is a sentence. */
  readonly onFailure: (hook: GuestHook, text: string) => void;
  readonly conf?: string;
  readonly folder?: string;
  readonly logFile?: string;
  readonly timeoutMs?: number;
};

/** For one that something waits for; the node gives an order a minute in all. */
const TIMEOUT_MS = 15_000;
/** State hooks that run at once; more are not started, and that is told. */
const MOST_BESIDE = 4;
const MOST_TEXT = 300;

export class GuestHooks {
  readonly #options: Required<GuestHooksOptions>;
  #beside = 0;

  constructor(options: GuestHooksOptions) {
    this.#options = {
      conf: "/etc/qvd/vma.conf",
      folder: "/etc/qvd/hooks",
      logFile: "/var/log/qvd-hooks.log",
      timeoutMs: TIMEOUT_MS,
      ...options,
    };
  }

  /** Runs a hook to its end. Never throws. */
  async run(hook: GuestHook, pairs: HookPairs): Promise<HookOutcome> {
    const text = await this.#attempt(hook, pairs);
    if (text === undefined) return { kind: "absent" };
    if (text === "") return { kind: "done" };
    this.#options.log.warn("hook-failed", { hook, text });
    this.#options.onFailure(hook, text);
    return { kind: "failed", text };
  }

  /** Starts a hook that nothing waits for. */
  runBeside(hook: GuestHook, pairs: HookPairs): void {
    if (this.#beside >= MOST_BESIDE) {
      this.#options.onFailure(hook, `The hook ${hook} was not run: ${MOST_BESIDE} earlier ones still are.`);
      return;
    }
    this.#beside++;
    void this.run(hook, pairs).finally(() => {
      this.#beside--;
    });
  }

  /** Undefined when there is none, empty when it went well, else why not. */
  async #attempt(hook: GuestHook, pairs: HookPairs): Promise<string | undefined> {
    const { logFile, timeoutMs } = this.#options;
    let program: string | undefined;
    try {
      program = this.#find(hook);
      if (program === undefined) return undefined;
      const words = Object.entries(pairs).flat();
      const { exitCode, lastWords } = await runToFile([program, ...words], { logFile, timeoutMs });
      if (exitCode === 0) return "";
      const last = lastWords.split("\n").at(-1)?.slice(0, MOST_TEXT) ?? "";
      const end =
        exitCode === undefined ? `was not done after ${timeoutMs / 1000} s` : `ended with ${exitCode}`;
      return `The hook ${hook} (${program}) ${end}${last === "" ? "." : `: ${last}`}`;
    } catch (error) {
      return `The hook ${hook} (${program ?? confKeyOf(hook)}) can't be run: ${describeError(error)}`;
    }
  }

  #find(hook: GuestHook): string | undefined {
    const { conf, folder } = this.#options;
    const named = existsSync(conf) ? parseVmaConf(readFileSync(conf, "utf8")).get(hook) : undefined;
    if (named !== undefined) return named;
    const own = `${folder}/${hook}`;
    const found = statSync(own, { throwIfNoEntry: false });
    // One that may not be executed is one that was switched off.
    return found?.isFile() === true && (found.mode & 0o111) !== 0 ? own : undefined;
  }
}
