/** What every `qvd NOUN show` does: find the one that was named, then JSON for programs or its facts for people. */

import type { Api } from "../api-client.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { positional } from "./arguments.ts";
import { JSON_OPTION, printFacts, printJson } from "./print.ts";

export type ShowSpec<Found> = Pick<Command, "name" | "summary" | "details" | "examples"> & {
  readonly positional: string;
  readonly find: (api: Api, text: string) => Promise<Found>;
  /** What has no value is left out. */
  readonly facts: (found: Found) => readonly (readonly [name: string, value: string | null | undefined])[];
};

export function showCommand<Found>({ positional: name, find, facts, ...about }: ShowSpec<Found>): Command {
  return {
    ...about,
    positionals: [name],
    options: JSON_OPTION,
    async run(io, args) {
      const found = await find(await openApi(io.env), positional(args, 0, name));
      if (args.options.json) printJson(io, found);
      else printFacts(io, facts(found));
      return 0;
    },
  };
}
