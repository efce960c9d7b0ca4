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
};

/** Counts test cases, since suites are nested and carry their sums twice. */
export function parseJunit(xml: string): JunitReport {
  const skipped: string[] = [];
  let [passed, failed] = [0, 0];
  for (const [, attributes = "", inside = ""] of xml.matchAll(
    /<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    if (/<(failure|error)\b/.test(inside)) failed++;
    else if (/<skipped\b/.test(inside)) skipped.push(nameOf(attributes));
    else passed++;
  }
  return { counts: { passed, failed, skipped: skipped.length }, skipped };
}

function nameOf(attributes: string): string {
  const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return [read("classname"), read("name")]
    .filter(Boolean)
    .join(" > ")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"');
}
