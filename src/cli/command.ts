/**
 * A command is a value: its words, what it does, its options, examples and exit codes, and a function that
 * runs it with everything it may touch as an argument. `commands.ts` is the one table of them; help is
 * rendered from these values.
 */

import type { ErrorCode } from "../lib/errors.ts";

/** What a command may touch of the outside. */
export type CommandIo = {
  /** Data, for programs and people. */
  readonly out: (text: string) => void;
  /** Talk: progress, advice, errors. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** Aborted at SIGINT and SIGTERM; `reason` is the signal's name. */
  readonly signal: AbortSignal;
};

export type OptionSpec = {
  readonly type: "text" | "flag";
  readonly doc: string;
  /** Shown in help as the option's value, such as `FILE`. */
  readonly value?: string;
  /** What the API calls it, where that is another word: refusals of that field then name the option. */
  readonly field?: string;
};

export type CommandArgs = {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
};

export type Command = {
  /** Its words, such as `node status`. */
  readonly name: string;
  readonly summary: string;
  /** Names of positional arguments as help shows them; one in brackets is optional. */
  readonly positionals?: readonly string[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  readonly details?: string;
  readonly examples?: readonly string[];
  /** Codes other than 0 (well), 1 (failed) and 2 (wrong usage). */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** Where scripts want to tell expected failures apart; all others have the exit code that they have everywhere. */
  readonly faultCodes?: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Returns the exit code. An AppError thrown becomes its sentence on stderr and its exit code. */
  run(io: CommandIo, args: CommandArgs): Promise<number>;
};
