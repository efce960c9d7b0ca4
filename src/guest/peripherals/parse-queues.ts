export type Queues = { readonly names: readonly string[]; readonly standard: string | undefined };

const MOST = 50;

/**
 * `lpstat -a -d` of the client's CUPS, in English. What it says is a stranger's: names that don't look like one are left
 * out, and so is everything beyond a bound.
 */
export function parseQueues(text: string): Queues {
  const names: string[] = [];
  let standard: string | undefined;
  for (const line of text.split("\n")) {
    const name = /^(\S+) (accepting requests|not accepting requests)\b/.exec(line)?.[1];
    if (name !== undefined && isName(name) && names.length < MOST) names.push(name);
    standard ??= /^system default destination: (\S+)$/.exec(line)?.[1];
  }
  return { names, standard: names.find((name) => name === standard) };
}

function isName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name);
}
