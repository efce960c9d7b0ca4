/**
 * Looks every few seconds whether the files of the QVD port's TLS were replaced, and has good ones used from
 * then on. Bad ones are told of once and change nothing.
 */

import { stat } from "node:fs/promises";
import { describeError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import { listTlsFiles, type ReadTls, readTls, type TlsFile, type TlsFiles } from "./read-tls.ts";

export type TlsWatch = {
  readonly files: TlsFiles;
  readonly everyMs: number;
  readonly nowMs: () => number;
  /** Throws when they can't be used after all. */
  readonly onRenewed: (read: ReadTls) => void;
  /** In words; the earlier ones stay in use. */
  readonly onFault: (text: string) => void;
};

/** Until the signal. What the files are now is taken to be in use. */
export async function watchTls(watch: TlsWatch, signal: AbortSignal): Promise<void> {
  const files = listTlsFiles(watch.files);
  let known = await readSigns(files);
  let last = known;
  while (!signal.aborted) {
    await sleep(watch.everyMs, signal);
    const seen = await readSigns(files);
    // Whoever replaces several files does so one after the other: they count once they stay as they are.
    const isSettled = seen === last;
    last = seen;
    if (!isSettled || seen === known || signal.aborted) continue;
    known = seen;
    try {
      const read = await readTls(watch.files, watch.nowMs());
      if (read.lapsed === undefined) watch.onRenewed(read);
      else watch.onFault(read.lapsed);
    } catch (error) {
      watch.onFault(describeError(error));
    }
  }
}

async function readSigns(files: readonly TlsFile[]): Promise<string> {
  const signs = await Promise.all(
    files.map(({ path }) =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(),
        () => "none",
      ),
    ),
  );
  return signs.join(" ");
}
