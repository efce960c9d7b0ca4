/** Progress as a line that rewrites itself on a terminal, and as one line each tenth elsewhere. */

import type { CommandIo } from "../command.ts";

export type ProgressLine = {
  /** Without a total only what is done is told. */
  show(doneBytes: number, totalBytes: number | null): void;
  /** Ends the line. May be called when none was shown. */
  finish(): void;
};

const TENTHS = 10;
const UNKNOWN_STEP_BYTES = 100e6;

export function createProgressLine(io: Pick<CommandIo, "err" | "isTerminal">, doing: string): ProgressLine {
  let step = -1;
  let isOpen = false;
  return {
    show(doneBytes, totalBytes) {
      const text = `${doing}: ${describeProgress(doneBytes, totalBytes)}`;
      if (io.isTerminal) {
        io.err(`\r${text}\u001b[K`);
        isOpen = true;
        return;
      }
      const now =
        totalBytes === null || totalBytes === 0
          ? Math.floor(doneBytes / UNKNOWN_STEP_BYTES)
          : Math.floor((doneBytes / totalBytes) * TENTHS);
      if (now <= step) return;
      step = now;
      io.err(`${text}\n`);
    },
    finish() {
      if (isOpen) io.err("\n");
      isOpen = false;
    },
  };
}

/** As in `120 of 360 MB (33 %)`. */
export function describeProgress(doneBytes: number, totalBytes: number | null): string {
  const isSmall = (totalBytes ?? 0) > 0 && (totalBytes ?? 0) < 1e6;
  const [unit, size] = isSmall ? ["kB", 1e3] : ["MB", 1e6];
  const isWhole = totalBytes !== null && doneBytes >= totalBytes;
  const done = isWhole ? Math.ceil(doneBytes / size) : Math.floor(doneBytes / size);
  if (totalBytes === null || totalBytes === 0) return `${done} ${unit}`;
  return `${done} of ${Math.ceil(totalBytes / size)} ${unit} (${Math.floor((doneBytes / totalBytes) * 100)} %)`;
}
