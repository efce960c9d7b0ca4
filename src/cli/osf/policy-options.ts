/** What an OSF promises its desktops, as options of `osf create` and `osf change`. */

import { AppError } from "../../lib/errors.ts";
import { given, textOption } from "../admin/arguments.ts";
import type { CommandArgs, OptionSpec } from "../command.ts";

const OPTIONS = {
  hypervisor: ["hypervisor", "lxc|kvm", "What runs its desktops; only while it has no image. Default lxc."],
  persistence: [
    "persistence",
    "WHAT",
    "What outlives a stop: nothing, home, folders (home and --keep; containers only) or everything. Default home.",
  ],
  keep: ["keptFolders", "FOLDERS", "With --persistence folders: absolute paths, separated by commas."],
  "home-limit": ["homeMb", "MB", "Most that a home may hold; `none` for no limit. Default 10240."],
  "system-limit": [
    "systemMb",
    "MB",
    "Of containers: most that the rest of the system may hold; `none` for no limit. Default 10240.",
  ],
  "idle-stop": [
    "idleStopSeconds",
    "TIME",
    "Stop desktops that nobody is connected to: never, 0 (at once), 90s, 15m, 2h. Default never.",
  ],
  "on-crash": ["onCrash", "restart|leave", "What to do with a desktop that ends by itself. Default restart."],
  neighbours: ["allowsNeighbours", "yes|no", "Whether its desktops may reach each other. Default no."],
  agent: [
    "hasAgent",
    "yes|no",
    "With --hypervisor kvm: whether our agent is in its images. Without it, desktops are seen on their console only. Default yes.",
  ],
  console: [
    "offersConsole",
    "yes|no",
    "With --hypervisor kvm: whether its people work at the machine's own screen in the browser; without our agent, their only way. Default no.",
  ],
  "expiry-soft": [
    "expirySoftSeconds",
    "TIME",
    "How long after a newer image people are asked to restart; default never.",
  ],
  "expiry-hard": [
    "expiryHardSeconds",
    "TIME",
    "How long after a newer image their desktops are stopped; default never.",
  ],
  application: [
    "isApplication",
    "yes|no",
    "Whether clients are offered its desktops as applications instead of desktops. Default no.",
  ],
  program: [
    "program",
    "COMMAND",
    "With --application yes: what a session starts, run by sh; `none` for what the image starts by itself.",
  ],
} as const satisfies Record<string, readonly [field: string, value: string, doc: string]>;

export const OSF_POLICY_OPTIONS: Readonly<Record<string, OptionSpec>> = Object.fromEntries(
  Object.entries(OPTIONS).map(
    ([name, [field, value, doc]]) => [name, { type: "text", value, doc, field }] as const,
  ),
);

/** The same for an OSF that exists: what isn't given stays as it is. */
export const OSF_POLICY_CHANGES: Readonly<Record<string, OptionSpec>> = Object.fromEntries(
  Object.entries(OSF_POLICY_OPTIONS).map(
    ([name, spec]) => [name, { ...spec, doc: spec.doc.replace(/[.;] [Dd]efault \S+$/, ".") }] as const,
  ),
);

/** Throws `bad-input` where --keep would be remembered and never obeyed. */
export function requireKeeping(args: CommandArgs, persistence: string): void {
  if (textOption(args, "keep") !== undefined && persistence !== "folders")
    throw new AppError("bad-input", `--keep needs --persistence folders; it is ${persistence}`, {
      field: "keep",
    });
}

/** Under the API's names; only what was given. */
export function givenPolicy(args: CommandArgs): Record<string, string> {
  return given(
    Object.fromEntries(Object.entries(OPTIONS).map(([name, [field]]) => [field, textOption(args, name)])),
  );
}
