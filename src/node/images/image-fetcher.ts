/**
 * Fetches the images that are enrolled by an address, a few at a time and beside everything else: a slow
 * server must not keep a file that is here from being verified. Tells how far it has come. A node that ended
 * in the middle goes on where it was; of several boxes that share the images one does it.
 */

import { rm } from "node:fs/promises";
import type { Db } from "../../db/client.ts";
import { isDatabaseAway } from "../../db/errors.ts";
import {
  listUnfetchedImages,
  readUnverifiedImage,
  type UnverifiedImage,
} from "../../db/queries/node-images.ts";
import type { DiId } from "../../domain/ids.ts";
import type { Layout } from "../../domain/node/layout.ts";
import type { Clock } from "../../lib/clock.ts";
import { describeError, isAppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import type { Storage } from "../../storage/storage.ts";
import type { Wake } from "../../wire/wake/messages.ts";
import { imagePath } from "../execute/image-path.ts";
import { type ImageVerdict, reportImage } from "../report/report-image.ts";

export type FetcherDeps = {
  readonly db: Db;
  readonly storage: Pick<Storage, "fetchImage" | "tryImageLock">;
  readonly layout: Layout;
  readonly tell: (wake: Wake) => void;
  readonly clock: Clock;
  readonly log: Log;
};

const MOST_AT_ONCE = 2;
const TELL_EVERY_MS = 1_000;
const LOCKED_AGAIN_MS = 3_000;

type Fetching = { readonly abort: AbortController; readonly work: Promise<void> };

export class ImageFetcher {
  readonly #deps: FetcherDeps;
  readonly #onFetched: () => void;
  readonly #running = new Map<DiId, Fetching>();
  #isStopped = false;

  /** `onFetched` hears when a file is there to be verified, or the place of one is free. */
  constructor(deps: FetcherDeps, onFetched: () => void) {
    this.#deps = deps;
    this.#onFetched = onFetched;
  }

  /** Begins what waits and calls off what nobody wants any more. Throws when the database is away. */
  async look(): Promise<void> {
    const wanted = await listUnfetchedImages(this.#deps.db);
    for (const [diId, { abort }] of this.#running) if (!wanted.some(({ id }) => id === diId)) abort.abort();
    for (const image of wanted)
      if (!this.#isStopped && this.#running.size < MOST_AT_ONCE && !this.#running.has(image.id))
        this.#start(image);
  }

  /** What came so far stays for the next process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const works = [...this.#running.values()].map(({ abort, work }) => {
      abort.abort();
      return work;
    });
    await Promise.all(works);
  }

  #start(image: UnverifiedImage): void {
    const abort = new AbortController();
    const work = this.#fetchLocked(image, abort.signal)
      .catch((error: unknown) => {
        // The next look begins it again.
        if (!isDatabaseAway(error)) this.#deps.log.error("image-fetch-broke", { diId: image.id, error });
        return false;
      })
      .then((hasEnded) => {
        this.#running.delete(image.id);
        if (this.#isStopped) return;
        if (hasEnded) this.#onFetched();
        else this.#again();
      });
    this.#running.set(image.id, { abort, work });
  }

  /** Whoever has the lock may be our own predecessor, or die; the wait must not keep this process alive. */
  #again(): void {
    const timer = setTimeout(() => {
      if (!this.#isStopped) this.#onFetched();
    }, LOCKED_AGAIN_MS);
    timer.unref();
  }

  /** Whether there is something to do next. */
  async #fetchLocked(image: UnverifiedImage, signal: AbortSignal): Promise<boolean> {
    const { db, storage } = this.#deps;
    const held = await storage.tryImageLock(image.id, async () => {
      // Another box may have done it between our look and the lock.
      const now = await readUnverifiedImage(db, image.id);
      if (now !== undefined && now.state !== "verifying") await this.#fetch(image, signal);
    });
    return held !== undefined;
  }

  async #fetch(image: UnverifiedImage, signal: AbortSignal): Promise<void> {
    const { storage, layout, log } = this.#deps;
    const path = imagePath(layout, image);
    const progress = new Progress(this.#deps, image.id);
    await this.#report(image.id, { state: "fetching", doneBytes: 0, totalBytes: undefined });
    try {
      const request = { url: image.sourceUrl ?? "", path, onProgress: progress.take };
      const { sizeBytes } = await storage.fetchImage(request, signal);
      await progress.settled();
      log.info("image-fetched", { diId: image.id, sizeBytes });
      await this.#report(image.id, { state: "verifying" });
    } catch (error) {
      await progress.settled();
      // Called off: by us, and the rest is fetched later; or by whoever deleted the image.
      if (signal.aborted) return;
      if (!isAppError(error) || error.code === "database-away") throw error;
      for (const ending of [".part", ".part.json"]) await rm(`${path}${ending}`, { force: true });
      await this.#report(image.id, {
        state: "failed",
        fault: `It could not be fetched: ${describeError(error)}.`,
      });
      log.warn("image-not-fetched", { diId: image.id, error });
    }
  }

  async #report(diId: DiId, verdict: ImageVerdict): Promise<void> {
    await reportImage(this.#deps.db, diId, verdict);
    this.#deps.tell({ topic: "image" });
  }
}

/** Writes at most one line of progress a second, one at a time; what comes between is passed over. */
class Progress {
  readonly #deps: FetcherDeps;
  readonly #diId: DiId;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #telling: Promise<void> | undefined;

  constructor(deps: FetcherDeps, diId: DiId) {
    this.#deps = deps;
    this.#diId = diId;
  }

  readonly take = (doneBytes: number, totalBytes: number | undefined): void => {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#telling !== undefined || nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#telling = this.#tell(doneBytes, totalBytes).finally(() => {
      this.#telling = undefined;
    });
  };

  async settled(): Promise<void> {
    await this.#telling;
  }

  async #tell(doneBytes: number, totalBytes: number | undefined): Promise<void> {
    try {
      await reportImage(this.#deps.db, this.#diId, { state: "fetching", doneBytes, totalBytes });
      this.#deps.tell({ topic: "image" });
    } catch (error) {
      // The transfer goes on without being seen; the next line may get through.
      this.#deps.log.debug("image-progress-not-told", { diId: this.#diId, error });
    }
  }
}
