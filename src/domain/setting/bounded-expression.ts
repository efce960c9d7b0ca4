/**
 * Which regular expressions of a tenant may be run in a process that serves all tenants. The engine tries every way to fit one, and
 * some have so many that a text of thirty letters takes for ever. Those are refused by their form, a few harmless ones with
 * them; together with `MOST_EXPRESSION_TEXT` the others end in a moment.
 */

/** How much of a text is looked at. */
export const MOST_EXPRESSION_TEXT = 160;

const MOST_REPETITIONS = 2;
const MOST_CHOICES = 6;

type Group = { hasWays: boolean };

/** What speaks against it, as the rest of a sentence; undefined when it may be run. */
export function refuseExpression(source: string): string | undefined {
  if (!isExpression(source)) return "must be a regular expression";
  const whole: Group = { hasWays: false };
  let open: Group[] = [];
  let closed: Group | undefined;
  let [repetitions, choices] = [0, 0];
  for (const [token, ...rest] of source.matchAll(TOKENS)) {
    const [reference, , repetition, choice] = rest;
    if (reference !== undefined) return "must not refer back to what it has matched";
    if (token.startsWith("(")) open.push({ hasWays: false });
    if (repetition !== undefined || choice !== undefined) {
      if (repetition !== undefined && closed?.hasWays)
        return "must not repeat what repeats or chooses itself";
      for (const group of [whole, ...open]) group.hasWays = true;
      if (/^[*+{]/.test(token)) repetitions++;
      else choices++;
    }
    closed = token === ")" ? open.at(-1) : undefined;
    if (token === ")") open = open.slice(0, -1);
  }
  if (repetitions > MOST_REPETITIONS) return `must have ${MOST_REPETITIONS} repetitions (* + {}) at most`;
  if (choices > MOST_CHOICES) return `must have ${MOST_CHOICES} choices (| ?) at most`;
  return undefined;
}

/** A reference, what means nothing here (other escapes, classes, how a group begins), a repetition, a choice, any other letter. */
const TOKENS =
  /(\\[1-9]|\\k<)|(\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?)|((?:[*+?]|\{\d+(?:,\d*)?\})\??)|(\|)|[\s\S]/g;

function isExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    // Whatever is wrong with it, it is none.
    return false;
  }
}
