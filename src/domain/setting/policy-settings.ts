/** Who may sign in by which means, from where, and who needs a second factor. */

import { checkSignInPolicy } from "../access/sign-in-policy.ts";
import type { SettingSpec } from "./spec.ts";

export const POLICY_SETTINGS = {
  "auth.policy": {
    group: "policy",
    scope: "tenant",
    kind: "text",
    default: "",
    isLong: true,
    label: "Rules",
    doc: "One a line: allow, deny or second-factor, then what it is about: by=local,ldap user=ann group=staff property=NAME:VALUE from=192.0.2.0/24. The first allow or deny that fits decides; nothing that fits allows. Each second-factor that fits asks for one.",
    check: checkSignInPolicy,
  },
} as const satisfies Record<string, SettingSpec>;
