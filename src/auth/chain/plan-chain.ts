/** Which parts of a chain a sign-in meets, by the settings of its tenant. Pure. */

import type { SettingValues } from "../../domain/setting/registry.ts";
import type { Claim } from "../authenticator.ts";

/** QVD 4 calls the accounts of its own database `default`. */
const LOCAL = "local";

/** Names of parts, each once, in the order in which they are asked. */
export function planChain(kind: Claim["kind"], settings: SettingValues): readonly string[] {
  const words =
    kind === "administrator"
      ? // Their own passwords always work: a directory that is away, or a wrong word here, locks nobody out.
        [...settings["auth.administrators.plugins"], LOCAL]
      : [
          ...settings["l7r.auth.plugins.head"],
          ...settings["l7r.auth.plugins"],
          ...settings["l7r.auth.plugins.tail"],
        ];
  return [...new Set(words.map((word) => (word === "default" ? LOCAL : word)))];
}
