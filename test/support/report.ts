/** Numbers of test runs, read from the JUnit files that `bun test` writes. */

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `N passed, N failed`, with the skipped only where there are some. */
export function renderCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}

export type JunitReport = {
  readonly counts: Counts;
  /** Names of the skipped tests. */
  readonly skipped: readonly string[];
  /** Names of the failed tests. */
  readonly failed: readonly string[];
};

/** Counts test cases, since suites are nested and carry their sums twice. */
export function parseJunit(xml: string): JunitReport {
  const skipped: string[] = [];
  const failed: string[] = [];
  let passed = 0;
  for (const [, attributes = "", inside = ""] of xml.matchAll(
    /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    if (/<(failure|error)\b/.test(inside)) failed.push(nameOf(attributes));
    else if (/<skipped\b/.test(inside)) skipped.push(nameOf(attributes));
    else passed++;
  }
  return { counts: { passed, failed: failed.length, skipped: skipped.length }, skipped, failed };
}

/**
 * What `bun test` printed of each failed test: the lines since the test before it ended, at most `limit` of them,
 * the newest. Where nothing says which test failed (a crash, a file that can't be loaded): the output's end.
 */
export function excerptFailures(output: string, limit = 40): readonly string[] {
  const lines = output.split("\n");
  const excerpts: string[] = [];
  let start = 0;
  lines.forEach((line, index) => {
    if (!/^\((pass|fail|skip)\) /.test(line)) return;
    if (line.startsWith("(fail)"))
      excerpts.push(lines.slice(Math.max(start, index - limit), index + 1).join("\n"));
    start = index + 1;
  });
  return excerpts.length > 0 ? excerpts : [lines.slice(-limit).join("\n")];
}

function nameOf(attributes: string): string {
  const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return [read("classname"), read("name")]
    .filter(Boolean)
    .join(" > ")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'");
}
