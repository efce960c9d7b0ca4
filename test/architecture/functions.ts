/**
 * Finds the functions of a masked source and how long they are: declarations, methods, accessors and arrow
 * functions whose body is a block or stands in parentheses.
 */

export type FoundFunction = {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly parameters: number;
};

const DECLARATION = /\bfunction\b\s*\*?\s*([\w$]*)\s*(?=[<(])/g;
const METHOD =
  /^[ \t]+(?:(?:async|static|get|set|override|private|protected|public|readonly)\s+)*\*?\s*(#?[\w$]+)\s*(?=\()/gm;
const ARROW = /=>\s*(?=[{(])/g;
const NOT_METHODS = new Set([
  "if",
  "for",
  "while",
  "switch",
  "catch",
  "return",
  "function",
  "await",
  "super",
  "with",
]);

export function findFunctions(masked: string): FoundFunction[] {
  const found: FoundFunction[] = [];
  for (const match of masked.matchAll(DECLARATION)) {
    const paren = masked.indexOf("(", afterGenerics(masked, match.index + match[0].length));
    push(found, masked, { name: match[1] || "(function)", from: match.index, paren });
  }
  for (const match of masked.matchAll(METHOD)) {
    const name = match[1] ?? "";
    if (NOT_METHODS.has(name)) continue;
    const from = match.index + match[0].search(/\S/);
    push(found, masked, { name, from, paren: match.index + match[0].length });
  }
  for (const match of masked.matchAll(ARROW)) {
    const body = match.index + match[0].length;
    const end = closing(masked, body);
    if (end === undefined) continue;
    const line = lineOf(masked, match.index);
    found.push({
      name: arrowName(masked, match.index),
      line,
      lines: lineOf(masked, end) - line + 1,
      parameters: 0,
    });
  }
  return found;
}

type Candidate = { readonly name: string; readonly from: number; readonly paren: number };

/** Adds the function if a body follows its parameters; a call or an overload has none. */
function push(found: FoundFunction[], masked: string, candidate: Candidate): void {
  const close = closing(masked, candidate.paren);
  if (close === undefined) return;
  const body = bodyAfter(masked, close + 1);
  if (body === undefined) return;
  const end = closing(masked, body);
  if (end === undefined) return;
  const line = lineOf(masked, candidate.from);
  found.push({
    name: candidate.name,
    line,
    lines: lineOf(masked, end) - line + 1,
    parameters: countParameters(masked.slice(candidate.paren + 1, close)),
  });
}

function afterGenerics(masked: string, at: number): number {
  if (masked.charAt(at) !== "<") return at;
  let depth = 0;
  for (let i = at; i < masked.length; i++) {
    if (masked.charAt(i) === "<") depth++;
    if (masked.charAt(i) === ">" && masked.charAt(i - 1) !== "=" && --depth === 0) return i + 1;
  }
  return at;
}

/** Offset of the body's brace after a parameter list, past a return type; undefined when there is no body. */
function bodyAfter(masked: string, at: number): number | undefined {
  let i = skipSpace(masked, at);
  if (masked.charAt(i) === "{") return i;
  if (masked.charAt(i) !== ":") return undefined;
  let previous = ":";
  for (i++; i < masked.length; i++) {
    const char = masked.charAt(i);
    if (/\s/.test(char)) continue;
    if (char === ";") return undefined;
    // An object type follows an operator; the body follows the end of a type.
    if (char === "{" && !/[:|&(,<>=]/.test(previous)) return i;
    if (char === "{" && previous === ">" && masked.charAt(masked.lastIndexOf(">", i) - 1) !== "=") return i;
    if (char === "{" || char === "(" || char === "[") {
      const close = closing(masked, i);
      if (close === undefined) return undefined;
      i = close;
      previous = masked.charAt(close);
    } else previous = char;
  }
  return undefined;
}

const PAIRS: Readonly<Record<string, string>> = { "{": "}", "(": ")", "[": "]" };

/** Offset of the bracket that closes the one at `at`. */
export function closing(masked: string, at: number): number | undefined {
  const open = masked.charAt(at);
  const close = PAIRS[open];
  if (close === undefined) return undefined;
  let depth = 0;
  for (let i = at; i < masked.length; i++) {
    const char = masked.charAt(i);
    if (char === open) depth++;
    else if (char === close && --depth === 0) return i;
  }
  return undefined;
}

function countParameters(list: string): number {
  if (list.trim() === "") return 0;
  let depth = 0;
  let count = 1;
  for (let i = 0; i < list.length; i++) {
    const char = list.charAt(i);
    if (/[{([<]/.test(char)) depth++;
    else if (/[})\]]/.test(char) || (char === ">" && list.charAt(i - 1) !== "=")) depth--;
    else if (char === "," && depth === 0 && list.slice(i + 1).trim() !== "") count++;
  }
  return count;
}

function arrowName(masked: string, at: number): string {
  const before = masked.slice(Math.max(0, at - 400), at);
  return /([\w$]+)\s*[:=]\s*(?:async\s*)?(?:<[^>]*>\s*)?\([^()]*\)[^=;]*$/.exec(before)?.[1] ?? "(arrow)";
}

function skipSpace(masked: string, at: number): number {
  let i = at;
  while (i < masked.length && /\s/.test(masked.charAt(i))) i++;
  return i;
}

export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = 0; i < offset; i++) if (text.charAt(i) === "\n") line++;
  return line;
}
