/** Names put into DNs and filters so that no character of theirs means anything there (RFC 4514, RFC 4515). */

/** `%u` becomes the login, escaped for a DN; a name that isn't one (`%u@example.org`, `EXAMPLE\%u`) takes it as it is. */
export function fillDn(template: string, login: string): string {
  const value = template.includes("=") ? escapeDn(login) : login;
  return template.replaceAll("%u", () => value);
}

/** `%u` becomes the login and `%d` a DN. */
export function fillFilter(
  template: string,
  values: { readonly login: string; readonly dn?: string },
): string {
  const filled = { u: escapeFilter(values.login), d: escapeFilter(values.dn ?? "") };
  return template.replace(/%([ud])/g, (_, letter: "u" | "d") => filled[letter]);
}

/**
 * A filter for the names that people sign in by, made one that finds them by the name of their account too, where that is
 * their entry's (`auth.ldap.name.normalize`). What else it asks of an entry it goes on asking.
 */
export function widenFilter(template: string): string {
  return template.replace(/\([^()=]+=[^()]*%u[^()]*\)/g, (part) => `(|${part}(uid=%u)(sAMAccountName=%u))`);
}

export function escapeDn(value: string): string {
  return value
    .replace(/[,+"\\<>;=]/g, (character) => `\\${character}`)
    .replace(/\0/g, "\\00")
    .replace(/^[ #]/, (character) => `\\${character}`)
    .replace(/(?<!\\) $/, "\\ ");
}

export function escapeFilter(value: string): string {
  return value.replace(
    /[*()\\\0]/g,
    (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** `Domain Admins` of `CN=Domain Admins,OU=Groups,DC=example`: the value of a DN's first part. */
export function firstRdnValue(dn: string): string {
  const value = /^[^=]*=((?:\\.|[^\\,+])*)/s.exec(dn)?.[1] ?? dn;
  // Bytes written as two digits each are UTF-8.
  const unescaped = value
    .trim()
    .replace(/(?:\\[0-9a-f]{2})+|\\(.)/gis, (escaped, character?: string) =>
      character === undefined ? Buffer.from(escaped.replaceAll("\\", ""), "hex").toString("utf8") : character,
    );
  return unescaped;
}
