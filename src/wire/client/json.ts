/** Plain data that `formatJson` takes; the dialect has no null in what clients read. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/**
 * JSON as the original servers wrote it: three spaces a level, blanks around colons, ASCII only, one newline
 * at the end. The C client's reader is forgiving, but bytes that are equal can't surprise it.
 */
export function formatJson(value: JsonValue): string {
  return `${render(value, "")}\n`.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function render(value: JsonValue, indent: string): string {
  const inner = `${indent}   `;
  if (isList(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((item) => inner + render(item, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  const lines = members.map(([name, item]) => `${inner}${JSON.stringify(name)} : ${render(item, inner)}`);
  return `{\n${lines.join(",\n")}\n${indent}}`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
