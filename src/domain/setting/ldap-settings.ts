/** A tenant's directory, LDAP or Active Directory: QVD 4's settings, and those that its plugin lacked. */

import type { SettingSpec } from "./spec.ts";

export const LDAP_SETTINGS = {
  "auth.ldap.host": {
    group: "directory",
    scope: "tenant",
    kind: "words",
    default: [],
    label: "Servers",
    doc: "Names or addresses (ldaps://dc1.example.org), commas between; the first that answers is asked. ldaps:// is encrypted from the start, ldap:// (also a bare name) after StartTLS.",
  },
  "auth.ldap.starttls": {
    group: "directory",
    scope: "tenant",
    kind: "switch",
    default: true,
    label: "StartTLS",
    doc: "Encrypt ldap:// before anything is said. Without it passwords are sent as they are, which is refused unless auth.ldap.plaintext allows it.",
  },
  "auth.ldap.plaintext": {
    group: "directory",
    scope: "tenant",
    kind: "switch",
    default: false,
    label: "Allow passwords in the clear",
    doc: "For a directory on a wire that nobody else can read. QVD 4 always did.",
  },
  "auth.ldap.ca": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "",
    isLong: true,
    label: "Authority",
    doc: "PEM certificate of whoever signed the directory's; empty trusts the authorities of the system.",
    check: (value) =>
      value === "" ||
      /^\s*(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/.test(value)
        ? undefined
        : "must be one or more certificates in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
  },
  "auth.ldap.timeout": {
    group: "directory",
    scope: "tenant",
    kind: "number",
    default: 5,
    least: 1,
    most: 20,
    unit: "seconds",
    label: "Patience",
    doc: "How long one server may take for all of a sign-in before the next is asked; one that was too slow is left alone for a while.",
  },
  "auth.ldap.userbindpattern": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Pattern of people's DNs",
    doc: "Such as uid=%u,ou=people,dc=example,dc=org, or %u@example.org for Active Directory. Tried first, and enough when it succeeds; else the entry is searched for.",
  },
  "auth.ldap.binddn": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "DN that searches",
    doc: "Who QVD is when it searches for people; %u stands for the login. Empty searches as nobody.",
  },
  "auth.ldap.bindpass": {
    group: "directory",
    scope: "tenant",
    kind: "secret",
    boundTo: ["auth.ldap.host", "auth.ldap.starttls", "auth.ldap.plaintext", "auth.ldap.ca"],
    label: "Its password",
    doc: "Where a DN searches and there is none, the person's own password is used. To be set again when the servers, the authority or the encryption change.",
  },
  "auth.ldap.base": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Base",
    doc: "DN below which people are searched for; %u stands for the login. Empty asks by the pattern alone.",
  },
  "auth.ldap.filter": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "(uid=%u)",
    label: "Filter",
    doc: "What a person's entry matches; %u stands for the login. For Active Directory (sAMAccountName=%u). Who matches more than one entry is refused.",
  },
  "auth.ldap.scope": {
    group: "directory",
    scope: "tenant",
    kind: "choice",
    default: "base",
    choices: ["base", "one", "sub"],
    label: "Scope",
    doc: "base: the base entry itself. one: entries directly below it. sub: all below it.",
  },
  "auth.ldap.deref": {
    group: "directory",
    scope: "tenant",
    kind: "choice",
    default: "never",
    choices: ["never", "search", "find", "always"],
    label: "Aliases",
    doc: "Which alias entries the directory follows. find: the base itself. search: those below it. always: both.",
  },
  "auth.ldap.racf_allowregex": {
    group: "directory",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Refusals that count as success",
    doc: "A regular expression over what the directory itself says when it refuses a password, for RACF, which refuses right but expired ones. A refusal without a word never fits. Leave it empty elsewhere.",
    check: (value) => {
      try {
        new RegExp(value);
        return undefined;
      } catch {
        // Whatever is wrong with it, it is no expression.
        return "must be a regular expression";
      }
    },
  },
  "auth.ldap.name.normalize": {
    group: "directory",
    scope: "tenant",
    kind: "switch",
    default: false,
    label: "Take the login from the entry",
    doc: "Who signs in by a mail address or another spelling becomes the user that the entry's uid (in Active Directory sAMAccountName) names. Also known as auth.ldap.normalize.name.",
  },
  "auth.ldap.home.set": {
    group: "directory",
    scope: "tenant",
    kind: "switch",
    default: false,
    label: "Lead the entry's home folder to the desktop's",
    doc: "In the desktop the path of the entry's homeDirectory becomes a link to the person's home, which stays /home/LOGIN. For paths that are written down elsewhere.",
  },
  "auth.ldap.groups.base": {
    group: "groups",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Base",
    doc: "DN below which groups are searched for; empty takes the groups that the person's entry names (memberOf).",
  },
  "auth.ldap.groups.filter": {
    group: "groups",
    scope: "tenant",
    kind: "text",
    default: "(member=%d)",
    label: "Filter",
    doc: "What a group of the person matches: %d is the person's DN, %u the login. For nested groups of Active Directory (member:1.2.840.113556.1.4.1941:=%d).",
  },
  "auth.ldap.groups.required": {
    group: "groups",
    scope: "tenant",
    kind: "words",
    default: [],
    label: "One of these is needed",
    doc: "Names (cn) of groups, commas between; who is in none of them is refused. Empty lets all in.",
  },
} as const satisfies Record<string, SettingSpec>;
