/**
 * The session's clipboard, told while the person shares it. X tells nobody that something was copied without an
 * extension of which no program of Debian's makes use, so it is looked at once a second, and only then.
 */

import type { Log } from "../../lib/log.ts";
import { MOST_CLIPBOARD } from "../../wire/display/control.ts";

export type ClipboardDeps = {
  readonly read: () => Promise<string | undefined>;
  /** Resolves once the program that holds the text has begun to, or won't: false then. */
  readonly write: (text: string) => Promise<boolean>;
  /** Called with what was copied in the desktop, once. */
  readonly tell: (text: string) => void;
  readonly log: Log;
  readonly everyMs?: number;
};

const EVERY_MS = 1_000;

export class Clipboard {
  readonly #deps: ClipboardDeps;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isLooking = false;
  /** A text was set since the last look. */
  #isFresh = false;
  /** Programs that are to hold a text and don't yet; a busy machine may take seconds to start one. */
  #starting = 0;
  /** What both sides have; undefined before the first look. */
  #last: string | undefined;

  constructor(deps: ClipboardDeps) {
    this.#deps = deps;
  }

  /** What was there before is not told: it was copied before the person said that it may be. */
  share(isShared: boolean): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!isShared) return;
    this.#last = undefined;
    this.#isFresh = false;
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), this.#deps.everyMs ?? EVERY_MS);
  }

  set(text: string): void {
    this.#last = text;
    this.#isFresh = true;
    void this.#write(text);
  }

  async #write(text: string): Promise<void> {
    this.#starting++;
    try {
      if (await this.#deps.write(text)) return;
      this.#deps.log.warn("clipboard-not-set", { reason: "nothing holds it" });
      this.#forget(text);
    } catch (error) {
      this.#deps.log.warn("clipboard-not-set", { error });
      this.#forget(text);
    } finally {
      this.#starting--;
    }
  }

  /** What the desktop has in its place was there before: it would be told as new. */
  #forget(text: string): void {
    if (this.#last === text) this.#last = undefined;
  }

  async #look(): Promise<void> {
    if (this.#starting > 0) return;
    const mayBeOlder = this.#isFresh;
    this.#isFresh = false;
    if (mayBeOlder || this.#isLooking) return;
    this.#isLooking = true;
    const before = this.#last;
    try {
      const text = (await this.#deps.read()) ?? "";
      // Not shared any longer, or set meanwhile: what was read may be older.
      if (this.#timer === undefined || this.#last !== before || text.length > MOST_CLIPBOARD) return;
      this.#last = text;
      if (before !== undefined && text !== before && text !== "") this.#deps.tell(text);
    } catch (error) {
      this.#deps.log.warn("clipboard-not-read", { error });
    } finally {
      this.#isLooking = false;
    }
  }
}
