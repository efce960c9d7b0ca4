/**
 * Files between a browser and its desktop, a channel of the display door each. The hello's argument is the wish as JSON; the
 * agent acts as the session's user, in their folder `Downloads`.
 *
 *     upload    {"name", "bytes"}   the broker sends that many bytes; the agent answers a line: a report
 *     download  {"name"}            the agent answers a line: a report, and after a good one that many bytes
 *     download  {}                  the agent answers a line: a report with the folder's files
 */

export type FileEntry = { readonly name: string; readonly bytes: number };

export type TransferReport =
  | {
      readonly isGood: true;
      readonly name: string;
      readonly bytes: number;
      readonly files: readonly FileEntry[];
    }
  | { readonly isGood: false; readonly text: string };

export type TransferWish = { readonly name: string | undefined; readonly bytes: number };

export const MOST_FILE_BYTES = 8 * 1024 ** 3;
export const MOST_FILES = 200;
/** 200 files with names of 255 bytes, escaped. */
export const MOST_REPORT_BYTES = 512 * 1024;
const MOST_NAME_BYTES = 200;

export function formatTransferWish(wish: { readonly name?: string; readonly bytes?: number }): string {
  return JSON.stringify(wish);
}

/** Undefined when it is no wish. Names come out as they may stand in a folder. */
export function parseTransferWish(argument: string): TransferWish | undefined {
  const { name, bytes = 0 } = readObject(argument);
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MOST_FILE_BYTES)
    return undefined;
  if (name !== undefined && typeof name !== "string") return undefined;
  return { name: name === undefined ? undefined : cleanFileName(name), bytes };
}

export function formatTransferReport(report: TransferReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** Out of a desktop, so it may be anything; undefined when it is no report. */
export function parseTransferReport(line: string): TransferReport | undefined {
  const { isGood, name, bytes, files, text } = readObject(line);
  if (isGood === false) return { isGood, text: typeof text === "string" ? text.slice(0, 300) : "" };
  if (isGood !== true || typeof name !== "string" || !isSize(bytes) || !Array.isArray(files))
    return undefined;
  const entries = files.slice(0, MOST_FILES).filter(isEntry);
  return { isGood, name, bytes, files: entries.map((entry) => ({ name: entry.name, bytes: entry.bytes })) };
}

/** The last part of whatever path it is, without what no file of a person's is called: no dots first, nothing unseen. */
export function cleanFileName(name: string): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? "";
  let clean = last
    .replace(/[\p{Cc}\p{Cf}]+/gu, "")
    .replace(/^[.\s-]+/, "")
    .trim();
  // First by characters, which are no more than bytes: one at a time would take minutes from a name as long as a request.
  if (clean.length > MOST_NAME_BYTES)
    clean = [...clean.slice(0, 2 * MOST_NAME_BYTES)].slice(0, MOST_NAME_BYTES).join("");
  while (Buffer.byteLength(clean) > MOST_NAME_BYTES) clean = [...clean].slice(0, -1).join("");
  return clean === "" ? "file" : clean;
}

function isEntry(value: unknown): value is FileEntry {
  if (typeof value !== "object" || value === null) return false;
  const { name, bytes } = value as Partial<Record<string, unknown>>;
  return typeof name === "string" && isSize(bytes);
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function readObject(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // Not JSON is an answer here, not a failure.
    return {};
  }
}
