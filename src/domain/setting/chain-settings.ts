/** Who proves who somebody is, in which order, and what is made of a name that was typed. */

import type { SettingSpec } from "./spec.ts";

/** Words that a chain may have. `default` is QVD 4's for the accounts of our own database. */
export const CHAIN_WORDS = ["default", "local", "ldap", "auto", "totp", "oidc"] as const;

export const CHAIN_SETTINGS = {
  "l7r.auth.plugins.head": {
    group: "chain",
    scope: "site",
    kind: "words",
    default: [],
    choices: CHAIN_WORDS,
    label: "Asked first, for every tenant",
    doc: "Put before each tenant's own.",
  },
  "l7r.auth.plugins": {
    group: "chain",
    scope: "tenant",
    kind: "words",
    default: [],
    choices: CHAIN_WORDS,
    label: "Asked in this order",
    doc: "Commas between: ldap asks the directory, oidc lets browsers sign in at the provider, auto makes the account and desktop of whoever proved themselves.",
  },
  "l7r.auth.plugins.tail": {
    group: "chain",
    scope: "site",
    kind: "words",
    default: ["default"],
    choices: CHAIN_WORDS,
    label: "Asked last, for every tenant",
    doc: "Put after each tenant's own. default: the passwords that administrators set here.",
  },
  "auth.administrators.plugins": {
    group: "chain",
    scope: "tenant",
    kind: "words",
    default: [],
    choices: ["ldap", "totp", "oidc"],
    label: "Asked for administrators",
    doc: "Before the passwords set here, which always work for administrators, so that nobody is locked out by a directory that is away. Administrators themselves are created here; nobody becomes one by a directory.",
  },
  "l7r.auth.plugin.default.separators": {
    group: "names",
    scope: "site",
    kind: "text",
    default: "@#",
    label: "Separators",
    doc: "Each of these characters parts a login from its tenant, as in ann@sales.",
    check: (value) =>
      /^[!#$%&+,;=@|~]{1,8}$/.test(value) ? undefined : "must be 1 to 8 of ! # $ % & + , ; = @ | ~",
  },
  "l7r.auth.plugin.default.tenant": {
    group: "names",
    scope: "site",
    kind: "text",
    default: "default",
    label: "Tenant of a login that names none",
    doc: "Of people with desktops; administrators who name none are the site's.",
  },
  "l7r.auth.plugin.default.salt": {
    group: "names",
    scope: "site",
    kind: "text",
    default: "qvd1234",
    label: "Salt of QVD 4's passwords",
    doc: "Of the QVD 4 that passwords were taken over from. Each is replaced by a hash of today at its owner's next sign-in.",
  },
  "auth.auto.osf_id": {
    group: "auto",
    scope: "tenant",
    kind: "number",
    default: 0,
    least: 0,
    most: 2 ** 31 - 1,
    label: "Flavour (OSF) of the desktop",
    doc: "Its number; 0 makes no desktop, only the user. Used where the chain has auto.",
  },
  "auth.auto.di_tag": {
    group: "auto",
    scope: "tenant",
    kind: "text",
    default: "default",
    label: "Tag of its image",
    doc: "A desktop made at a first sign-in runs the image that has this tag.",
    check: (value) =>
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value)
        ? undefined
        : "must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit",
  },
  "auth.auto.max_vms": {
    group: "auto",
    scope: "tenant",
    kind: "number",
    default: 5,
    least: 1,
    most: 100,
    label: "Names to try",
    doc: "A desktop is named ann-1; where somebody has that name already ann-2, up to this number.",
  },
} as const satisfies Record<string, SettingSpec>;
