/** Reading a command's arguments, with sentences for those that are missing. */

import { AppError } from "../../lib/errors.ts";
import type { CommandArgs } from "../command.ts";

export function positional(args: CommandArgs, index: number, name: string): string {
  const value = args.positionals[index];
  if (value === undefined || value === "")
    throw new AppError("bad-input", `${name} is missing`, { field: name });
  return value;
}

export function textOption(args: CommandArgs, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === "string" ? value : undefined;
}

export function requireOption(args: CommandArgs, name: string): string {
  const value = textOption(args, name);
  if (value === undefined) throw new AppError("bad-input", `--${name} is missing`, { field: name });
  return value;
}

export function flag(args: CommandArgs, name: string): boolean {
  return args.options[name] === true;
}

/** The options given, under the API's names; undefined ones are left out. */
export function given(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
