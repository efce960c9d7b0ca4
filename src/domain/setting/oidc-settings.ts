/** Signing in at somebody else's page: a provider of OpenID Connect, of the site or of one tenant. */

import type { SettingSpec } from "./spec.ts";

export const OIDC_SETTINGS = {
  "auth.oidc.issuer": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "",
    label: "Provider",
    doc: "Its address (issuer), such as https://login.example.org/realms/staff. Empty offers no sign-in by OpenID Connect; so does a chain without the word oidc.",
    check: (value) =>
      value === "" || /^https:\/\/[^\s?#]+$/.test(value)
        ? undefined
        : "must be an https:// address without ? and #",
  },
  "auth.oidc.client_id": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "qvd",
    label: "Client",
    doc: "What the provider calls QVD. Register there the addresses https://HOST:8443/sign-in/oidc (people) and https://HOST:9443/sign-in/oidc (administrators).",
  },
  "auth.oidc.client_secret": {
    group: "oidc",
    scope: "tenant",
    kind: "secret",
    boundTo: ["auth.oidc.issuer", "auth.oidc.ca"],
    label: "Its secret",
    doc: "Empty for a public client. To be set again when the provider or its authority changes.",
  },
  "auth.oidc.ca": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "",
    isLong: true,
    label: "Authority",
    doc: "PEM certificate of whoever signed the provider's; empty trusts the authorities of the system.",
    check: (value) =>
      value === "" || /^\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/.test(value)
        ? undefined
        : "must be certificates in PEM",
  },
  "auth.oidc.label": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "your organisation",
    label: "Name on the button",
    doc: "The sign-in page offers: Sign in with NAME.",
  },
  "auth.oidc.scope": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "openid profile email",
    label: "Scope",
    doc: "What the provider is asked for; some need a word more to tell groups.",
    check: (value) => (value.split(" ").includes("openid") ? undefined : "must have the word openid"),
  },
  "auth.oidc.claim.login": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "preferred_username",
    label: "Claim of the login",
    doc: "Whose value is the login here. Choose one that people can't change for themselves at the provider; email counts only where the provider has verified it.",
  },
  "auth.oidc.domains": {
    group: "oidc",
    scope: "tenant",
    kind: "words",
    default: [],
    label: "Domains taken off",
    doc: "With example.org, ann@example.org becomes ann. A login of any other domain is refused, so that nobody of a stranger's domain becomes one of yours.",
  },
  "auth.oidc.claim.groups": {
    group: "oidc",
    scope: "tenant",
    kind: "text",
    default: "groups",
    label: "Claim of the groups",
    doc: "A list of names; dots lead into it, as in realm_access.roles.",
  },
  "auth.oidc.groups.required": {
    group: "oidc",
    scope: "tenant",
    kind: "words",
    default: [],
    label: "One of these groups is needed",
    doc: "Commas between; who is in none of them is refused. Empty lets all in whom the provider lets in.",
  },
  "auth.oidc.groups.tenants": {
    group: "oidc",
    scope: "site",
    kind: "words",
    default: [],
    label: "Tenants by group",
    doc: "Such as sales-staff=sales, it=internal: the first group that somebody is in says whose user they are. For the site's provider alone: one that a tenant has set gives nobody to another tenant.",
  },
  "auth.oidc.groups.roles": {
    group: "oidc",
    scope: "tenant",
    kind: "words",
    default: [],
    label: "Administrators' roles by group",
    doc: "Such as qvd-admins=administrator: who is in such a group and signs in to the web admin tool is made an administrator with exactly these roles, each time anew; who no longer is in any is refused. Empty leaves roles alone and lets in those who are administrators already. Only where auth.administrators.plugins has oidc.",
  },
} as const satisfies Record<string, SettingSpec>;
