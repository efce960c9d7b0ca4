/**
 * Looks after the images of the box whenever somebody says that one came or went, and every minute: fetches
 * those that lie elsewhere, takes enrolled ones in, one at a time, and removes what deleted ones left.
 */

import { isDatabaseAway } from "../db/errors.ts";
import type { DiId } from "../domain/ids.ts";
import { backoffMs } from "../lib/backoff.ts";
import { type FetcherDeps, ImageFetcher } from "./images/image-fetcher.ts";
import { type SweepDeps, sweepImages } from "./sweep-images.ts";
import { type ImageDeps, takeInImages } from "./take-in-images.ts";

const LOOK_EVERY_MS = 60_000;
const BACKOFF = { firstMs: 1_000, mostMs: 60_000 };

export class ImageIntake {
  readonly #deps: ImageDeps & SweepDeps & FetcherDeps;
  readonly #fetcher: ImageFetcher;
  readonly #onLooked: (hasChanged: boolean) => void;
  readonly #abort = new AbortController();
  #interval: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isWoken = false;
  #tries = 0;
  #strangers: readonly DiId[] = [];

  /** `onLooked` hears after each look whether an image's state has changed. */
  constructor(deps: ImageDeps & SweepDeps & FetcherDeps, onLooked: (hasChanged: boolean) => void) {
    this.#deps = deps;
    this.#fetcher = new ImageFetcher(deps, () => this.wake());
    this.#onLooked = onLooked;
  }

  /** Images that lie here although the database has never heard of them. */
  get strangers(): readonly DiId[] {
    return this.#strangers;
  }

  start(): void {
    this.#interval = setInterval(() => this.wake(), LOOK_EVERY_MS);
    this.wake();
  }

  wake(): void {
    this.#isWoken = true;
    if (!this.#isLooking) void this.#look();
  }

  stop(): void {
    this.#abort.abort();
    clearInterval(this.#interval);
    clearTimeout(this.#retry);
    void this.#fetcher.stop();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#isWoken && !this.#abort.signal.aborted) {
      this.#isWoken = false;
      try {
        await this.#fetcher.look();
        const judged = await takeInImages(this.#deps, this.#abort.signal);
        this.#tries = 0;
        this.#onLooked(judged > 0);
        this.#strangers = await sweepImages(this.#deps, this.#abort.signal);
      } catch (error) {
        this.#tries++;
        if (!isDatabaseAway(error)) this.#deps.log.error("image-intake-failed", { error });
        this.#retry = setTimeout(() => this.wake(), backoffMs(this.#tries, BACKOFF));
      }
    }
    this.#isLooking = false;
  }
}
