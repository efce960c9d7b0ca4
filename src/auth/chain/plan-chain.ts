/** Which parts of a chain a sign-in meets, by the settings of its tenant. Pure. */

import type { SettingValues } from "../../domain/setting/registry.ts";
import type { Claim } from "../authenticator.ts";

/** QVD 4 calls the accounts of its own database `default`. */
const LOCAL = "local";
/** In every chain by a setting of its own; that QVD 4 names it in a chain changes nothing. */
const TOTP = "totp";

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
  const named = words.map((word) => (word === "default" ? LOCAL : word)).filter((word) => word !== TOTP);
  return [...new Set(settings["auth.second-factor"] === "off" ? named : [...named, TOTP])];
}
