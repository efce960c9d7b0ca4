/** Who somebody says to be, as written in the login field of a client or a page. */
export type LoginName = { readonly login: string; readonly tenant: string };

/**
 * Splits `login@tenant` (or `#`) at the first separator and normalises both halves: trimmed, lower case.
 * Without a separator the tenant is `fallbackTenant`. Undefined when either half is empty
 * or has control characters, which no name has and PostgreSQL's text can't hold.
 */
export function parseLoginName(text: string, fallbackTenant: string): LoginName | undefined {
  const at = text.search(/[@#]/);
  const login = (at === -1 ? text : text.slice(0, at)).trim().toLowerCase();
  const tenant = (at === -1 ? fallbackTenant : text.slice(at + 1)).trim().toLowerCase();
  if (login === "" || tenant === "" || /\p{Cc}/u.test(login + tenant)) return undefined;
  return { login, tenant };
}
