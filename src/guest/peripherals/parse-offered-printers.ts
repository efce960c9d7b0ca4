/** What the Perl client for Windows answers to `GET /printer`: QVD 4's SimpleRPC, JSON or `"",` and why not. */

export type OfferedPrinter = { readonly id: string; readonly title: string; readonly isStandard: boolean };

const MOST = 50;
const MOST_TITLE_CHARACTERS = 80;

/** Its names are a stranger's: what doesn't look like a printer is left out, and so is everything beyond a bound. */
export function parseOfferedPrinters(text: string): readonly OfferedPrinter[] {
  const printers = readPrinters(text);
  const found = new Map<string, OfferedPrinter>();
  for (const { qvd_id: given, name, default: standard } of printers) {
    const id = typeof given === "number" ? `${given}` : given;
    if (typeof id !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(id)) continue;
    if (found.size >= MOST || found.has(id)) continue;
    found.set(id, { id, title: readTitle(name) ?? id, isStandard: isTrue(standard) });
  }
  return [...found.values()];
}

type Given = Readonly<Record<string, unknown>>;

function readPrinters(text: string): readonly Given[] {
  try {
    const value: unknown = JSON.parse(text);
    const printers = isRecord(value) ? value.Printers : undefined;
    return Array.isArray(printers) ? printers.filter(isRecord) : [];
  } catch {
    // The client's word for what failed there, or nothing that is known.
    return [];
  }
}

function isRecord(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readTitle(name: unknown): string | undefined {
  return typeof name === "string" && /^[^\p{Cc}]+$/u.test(name)
    ? name.slice(0, MOST_TITLE_CHARACTERS)
    : undefined;
}

/** As Perl writes it, or as JSON has it. */
function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === "1";
}
