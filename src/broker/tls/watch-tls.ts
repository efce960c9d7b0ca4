/**
 * Looks every few seconds whether the files of the QVD port's TLS were replaced, and has good ones used from
 * then on. Bad ones are told of once and change nothing.
 */

import { describeError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import { type ReadTls, readSigns, readTls, type TlsFiles } from "./read-tls.ts";

export type TlsWatch = {
  readonly files: TlsFiles;
  /** Signs of the files as they were when what is in use was read. */
  readonly inUse: string;
  readonly everyMs: number;
  readonly nowMs: () => number;
  /** Throws when they can't be used after all. */
  readonly onRenewed: (read: ReadTls) => void;
  /** In words; the earlier ones stay in use. */
  readonly onFault: (text: string) => void;
};

/** Until the signal. */
export async function watchTls(watch: TlsWatch, signal: AbortSignal): Promise<void> {
  const { files } = watch;
  let known = watch.inUse;
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
      const read = await readTls(files, watch.nowMs());
      if (read.lapsed === undefined) watch.onRenewed(read);
      else watch.onFault(read.lapsed);
    } catch (error) {
      watch.onFault(describeError(error));
    }
  }
}
