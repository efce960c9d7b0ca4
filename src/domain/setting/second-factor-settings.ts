/** Who shows a code of their phone besides their password. */

import type { SettingSpec } from "./spec.ts";

export const SECOND_FACTOR_SETTINGS = {
  "auth.second-factor": {
    group: "second-factor",
    scope: "tenant",
    kind: "choice",
    default: "optional",
    choices: ["off", "optional", "required"],
    label: "Second factor",
    doc: "off: nobody is asked for a code, also who has one set up. optional: whoever has set one up is asked. required: who has none yet sets one up at their next sign-in in a browser, and can't sign in by other clients before. The tenant * stands for the site's administrators. Who signs in by OpenID Connect shows theirs to the provider.",
  },
} as const satisfies Record<string, SettingSpec>;
