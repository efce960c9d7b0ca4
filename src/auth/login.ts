/** Who somebody says to be, as written in the login field of a client or a page. */
export type LoginName = { readonly login: string; readonly tenant: string };

/** How a site writes logins with their tenants. */
export type NameRules = {
  /** Each of its characters parts a login from its tenant. */
  readonly separators: string;
  /** Tenant of a person with desktops whose login names none. */
  readonly tenant: string;
};

/** Administrators whose login names no tenant are the site's. */
const SITE_TENANT = "*";

/**
 * Splits `login@tenant` (or `#`) at the first separator and normalises both halves: trimmed, lower case.
 * Undefined when either half is empty or has control characters, which no name has and PostgreSQL's text can't hold.
 */
export function parseLoginName(
  text: string,
  rules: NameRules,
  kind: "user" | "administrator" = "user",
): LoginName | undefined {
  const at = [...text].findIndex((character) => rules.separators.includes(character));
  const characters = [...text];
  const login = (at === -1 ? text : characters.slice(0, at).join("")).trim().toLowerCase();
  const fallback = kind === "administrator" ? SITE_TENANT : rules.tenant;
  const tenant = (at === -1 ? fallback : characters.slice(at + 1).join("")).trim().toLowerCase();
  if (login === "" || tenant === "" || /\p{Cc}/u.test(login + tenant)) return undefined;
  return { login, tenant };
}
