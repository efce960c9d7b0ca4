/** Takes images in whenever somebody says that there may be one, and every minute; one at a time. */

import { isDatabaseAway } from "../db/errors.ts";
import { backoffMs } from "../lib/backoff.ts";
import { type ImageDeps, takeInImages } from "./take-in-images.ts";

const LOOK_EVERY_MS = 60_000;
const BACKOFF = { firstMs: 1_000, mostMs: 60_000 };

export class ImageIntake {
  readonly #deps: ImageDeps;
  readonly #onLooked: (hasChanged: boolean) => void;
  readonly #abort = new AbortController();
  #interval: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isWoken = false;
  #tries = 0;

  /** `onLooked` hears after each look whether an image's state has changed. */
  constructor(deps: ImageDeps, onLooked: (hasChanged: boolean) => void) {
    this.#deps = deps;
    this.#onLooked = onLooked;
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
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    while (this.#isWoken && !this.#abort.signal.aborted) {
      this.#isWoken = false;
      try {
        const judged = await takeInImages(this.#deps, this.#abort.signal);
        this.#tries = 0;
        this.#onLooked(judged > 0);
      } catch (error) {
        this.#tries++;
        if (!isDatabaseAway(error)) this.#deps.log.error("image-intake-failed", { error });
        this.#retry = setTimeout(() => this.wake(), backoffMs(this.#tries, BACKOFF));
      }
    }
    this.#isLooking = false;
  }
}
