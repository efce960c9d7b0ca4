/**
 * Source text with comments and the insides of strings blanked out, character for character, so that rules
 * about code are not tripped by words about code and every offset still points into the file. A small lexer
 * and not a compiler: it knows comments, quotes, templates with their `${}` and regular expressions. A quote
 * that isn't closed on its line is taken for an apostrophe in JSX text.
 */

export type MaskOptions = {
  /** Leave the insides of quotes as they are, for reading import paths and SQL. */
  readonly keepStrings?: boolean;
};

export function maskSource(text: string, options: MaskOptions = {}): string {
  const out = text.split("");
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " ";
  };
  const blankString = (from: number, to: number) => {
    if (!options.keepStrings) blank(from, to);
  };
  // How deep in braces each open template literal's `${` is.
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const pair = text.slice(at, at + 2);
    if (pair === "//" || pair === "/*") {
      const end = endOfComment(text, at);
      blank(at, end);
      at = end;
    } else if (char === '"' || char === "'") {
      const end = endOfQuote(text, at);
      if (end !== undefined) blankString(at + 1, end - 1);
      at = end ?? at + 1;
    } else if (char === "`" || (char === "}" && templates.at(-1) === depth)) {
      if (char === "}") templates.pop();
      const { end, isOpen } = endOfTemplate(text, at + 1);
      // The braces of `${` and `}` are blanked with the text: they open no block.
      blankString(char === "}" ? at : at + 1, isOpen ? end : end - 1);
      if (isOpen) templates.push(depth);
      at = end;
    } else if (char === "/" && startsRegex(text, at)) {
      const end = endOfRegex(text, at);
      if (end !== undefined) blank(at + 1, end - 1);
      at = end ?? at + 1;
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      at++;
    }
  }
  return out.join("");
}

function endOfComment(text: string, at: number): number {
  const isLine = text.charAt(at + 1) === "/";
  const end = text.indexOf(isLine ? "\n" : "*/", at + 2);
  if (end === -1) return text.length;
  return isLine ? end : end + 2;
}

function endOfQuote(text: string, at: number): number | undefined {
  const quote = text.charAt(at);
  for (let i = at + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\") i++;
    else if (char === quote) return i + 1;
    else if (char === "\n") return undefined;
  }
  return undefined;
}

/** Ends after the closing backtick, or after `${` with `isOpen`. */
function endOfTemplate(text: string, at: number): { end: number; isOpen: boolean } {
  for (let i = at; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\") i++;
    else if (char === "`") return { end: i + 1, isOpen: false };
    else if (char === "$" && text.charAt(i + 1) === "{") return { end: i + 2, isOpen: true };
  }
  return { end: text.length, isOpen: false };
}

/** A slash divides after a value and opens a regular expression elsewhere; in JSX it closes a tag. */
function startsRegex(text: string, at: number): boolean {
  const next = text.charAt(at + 1);
  if (next === ">" || next === " ") return false;
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  if (before === "" || /[(,=:[!&|?{};+\n]$/.test(before)) return true;
  return /\b(?:return|typeof|case|of|in)$/.test(before) || before.endsWith("=>");
}

function endOfRegex(text: string, at: number): number | undefined {
  let isInClass = false;
  for (let i = at + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\n") return undefined;
    if (char === "\\") i++;
    else if (char === "[") isInClass = true;
    else if (char === "]") isInClass = false;
    else if (char === "/" && !isInClass) return i + 1;
  }
  return undefined;
}
