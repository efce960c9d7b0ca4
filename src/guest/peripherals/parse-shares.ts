export type SharedPrinter = {
  /** For a queue of CUPS; no two are the same. */
  readonly name: string;
  /** As SMB has it. */
  readonly share: string;
  readonly title: string;
};

const MOST = 50;
const MOST_CHARACTERS = 80;

/**
 * `smbclient -L … -g`: lines of `Printer|SHARE|comment`. What they say is a stranger's: what doesn't look like a
 * printer is left out, and so is everything beyond a bound.
 */
export function parseShares(text: string): readonly SharedPrinter[] {
  const found = new Map<string, SharedPrinter>();
  for (const line of text.split("\n")) {
    const share = /^Printer\|([^|]+)\|/.exec(line)?.[1];
    if (share === undefined || found.size >= MOST || !isShareName(share)) continue;
    const plain = share.replace(/[^A-Za-z0-9_.-]+/g, "_");
    const name = nextFree(plain, found);
    found.set(name, { name, share, title: share });
  }
  return [...found.values()];
}

/** `print$` is where Windows keeps drivers. */
function isShareName(share: string): boolean {
  return share.length <= MOST_CHARACTERS && !/[\p{Cc}/\\]/u.test(share) && !share.endsWith("$");
}

function nextFree(plain: string, taken: ReadonlyMap<string, unknown>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`;
    if (!taken.has(name)) return name;
  }
}
