/** The sharing's helper runs as the session's user and says what failed where nxagent says all else. */

const BEGIN = "Qvd: sharing failed: ";
const MOST = 300;

export function formatSharingFailure(text: string): string {
  return `${BEGIN}${text.replaceAll(/\s+/g, " ").slice(0, MOST)}\n`;
}

/** The text, which anybody in the session can have written; undefined for any other line. */
export function parseSharingFailure(line: string): string | undefined {
  return line.startsWith(BEGIN) ? line.slice(BEGIN.length, BEGIN.length + MOST) : undefined;
}
