/** A program's words may be cut in the middle of a letter, or hold none: the database takes neither. */
export function storableText(text: string): string {
  return text.replaceAll("\u0000", "").toWellFormed();
}
