/**
 * Decodes a query as the original servers do: `+` is a space, `%XX` a byte, no `=` an empty value, the last
 * of equal names wins. Values are bytes (each a character up to 255); a broken `%` stays as it is.
 */
export function parseQuery(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = equals === -1 ? part : part.slice(0, equals);
    values.set(decode(name), equals === -1 ? "" : decode(part.slice(equals + 1)));
  }
  return values;
}

function decode(text: string): string {
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
