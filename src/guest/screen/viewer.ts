/**
 * One viewer of the session's screen: between it and the screen's server, which it types to and hears of cursors and sizes
 * from; its pictures are made here (`painter.ts`), when something was drawn, the viewer wants more and its line has room.
 *
 *     viewer ◄─ pictures ── here ◄── X
 *            ◄─ all else ── here ◄── screen's server
 *            ── says ─────► here ──► screen's server
 */

import { AppError } from "../../lib/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { readWishes, type Wishes } from "./encodings.ts";
import type { Outbox } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { Painter } from "./painter.ts";
import type { PixelFormat } from "./pixel-format.ts";
import { readServer } from "./read-server.ts";
import { readViewer } from "./read-viewer.ts";
import type { Rectangle } from "./rectangle.ts";
import type { Look } from "./screen-reader.ts";
import { TightPacker } from "./tight.ts";

export type ViewerOptions = {
  readonly screen: {
    readonly hasNews: boolean;
    look(screen: Rectangle, besides: readonly Rectangle[]): Promise<Look>;
  };
  readonly toViewer: Outbox;
  readonly toServer: Outbox;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
  /** The last call: nothing more can be shown to it. */
  readonly giveUp: (error: unknown) => void;
};

/** Programs draw in several goes what belongs together. */
const GATHER_MS = 2;
/** After such a silence the first of it is shown at once: it mostly answers a key, and that is all of it. */
const QUIET_MS = 100;
/** No viewer shows more than a hundred pictures a second. */
const [LEAST_BETWEEN_MS, FIRST_BETWEEN_MS] = [10, 4];
const REFRESH_MS = 100;
/** Where something moves all the time, so often what rests beside it has its turn. */
const REFRESH_BESIDE_MS = 300;
/** The screen may be made smaller while it is looked at; the server tells the new size by and by. */
const [RETRY_MS, MOST_RETRIES] = [50, 100];
const FENCE = { message: 248, asks: 0x80000000, known: 0x3 } as const;
const END_OF_CONTINUOUS = 150;
/** More than a server or a viewer in its senses says while a picture is made. */
const MOST_BEHIND = 10_000;

export class Viewer {
  readonly #options: ViewerOptions;
  readonly #said = new ByteReader();
  readonly #served = new ByteReader();
  readonly #pace = new Pace();
  readonly #packer = new TightPacker();
  #format: PixelFormat | undefined;
  #size = { width: 0, height: 0 };
  #wishes: Wishes = readWishes([]);
  #painter: Painter | undefined;
  #isContinuous = false;
  #isAsked = false;
  #isBusy = false;
  #hasEnded = false;
  #retries = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = 0;
  /** What the server said while a picture was being made. */
  #behind: (() => void)[] = [];
  /** The server is to be asked for its next update once the viewer has room for what it tells. */
  #owesRequest = false;

  constructor(options: ViewerOptions) {
    this.#options = options;
    const end = (error: unknown) => this.#end(error);
    readViewer(this.#said, {
      pass: (bytes) => options.toServer.send(bytes),
      onEncodings: (encodings) => this.#wish(encodings),
      onFormat: (format) => {
        this.#format = format;
        if (!this.#wishes.hasTight) this.#painter = undefined;
      },
      onRequest: (place, isFresh) => this.#ask(place, isFresh),
      onContinuous: (isOn) => this.#continue(isOn),
      onFence: (flags, payload) => this.#answerFence(flags, payload),
    }).catch(end);
    readServer(this.#served, {
      pass: (bytes) => this.#inTurn(() => options.toViewer.send(bytes)),
      onFormat: (format) => {
        this.#format ??= format;
      },
      onSize: (size) => this.#inTurn(() => this.#resize(size)),
      onUpdate: () => {
        this.#owesRequest = true;
        this.#requestOwed();
      },
      bytesPerPixel: () => this.#format?.bytesPerPixel ?? 4,
    }).catch(end);
  }

  fromViewer(chunk: Uint8Array): void {
    this.#said.push(chunk);
  }

  fromServer(chunk: Uint8Array): void {
    this.#served.push(chunk);
  }

  /** Something was drawn, or there is room again. */
  stir(): void {
    try {
      this.#requestOwed();
    } catch (error) {
      this.#end(error);
    }
    this.#wake(this.#options.now() - this.#lastMs > QUIET_MS ? 0 : GATHER_MS);
  }

  /** Cursors, too, must not pile up for a viewer that takes nothing. */
  #requestOwed(): void {
    const { toViewer, toServer } = this.#options;
    if (!this.#owesRequest || this.#isBusy || this.#hasEnded || !toViewer.isEmpty) return;
    this.#owesRequest = false;
    toServer.send(requestOf(ONE_PIXEL));
  }

  close(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#packer.close();
  }

  #end(error: unknown): void {
    if (this.#hasEnded) return;
    this.close();
    this.#options.giveUp(error);
  }

  /** No message may come into the midst of another, nor a size before pictures of the one before. */
  #inTurn(work: () => void): void {
    if (!this.#isBusy) work();
    else if (this.#behind.push(work) > MOST_BEHIND)
      throw new AppError("protocol", "too much was said while a picture was made");
  }

  #wish(encodings: readonly number[]): void {
    const before = this.#wishes;
    this.#wishes = readWishes(encodings);
    const wishes = ["photoQuality", "hasTight", "hasCopyRect"] as const;
    if (wishes.some((wish) => before[wish] !== this.#wishes[wish])) this.#painter = undefined;
    // By this it learns that it may have them.
    if (this.#wishes.hasContinuousUpdates && this.#wishes.hasFence && !before.hasContinuousUpdates)
      this.#inTurn(() => this.#options.toViewer.send(Buffer.of(END_OF_CONTINUOUS)));
  }

  #ask(place: Rectangle, isFresh: boolean): void {
    // The server's part: cursors and the like come with its updates. It has one wish of ours at a time.
    if (isFresh || this.#painter === undefined) this.#options.toServer.send(requestOf(ONE_PIXEL));
    if (isFresh) this.#painter?.forget(place);
    this.#isAsked = true;
    this.#wake(0);
  }

  #continue(isOn: boolean): void {
    this.#isContinuous = isOn && this.#wishes.hasFence;
    if (!isOn) this.#inTurn(() => this.#options.toViewer.send(Buffer.of(END_OF_CONTINUOUS)));
    this.#wake(0);
  }

  #answerFence(flags: number, payload: Buffer): void {
    if ((flags & FENCE.asks) !== 0)
      this.#inTurn(() => this.#options.toViewer.send(fenceOf(flags & FENCE.known, payload)));
    else if (payload.length === 4 && this.#pace.answer(payload.readUInt32BE(0), this.#options.now()))
      this.#wake(0);
  }

  #resize({ width, height }: { readonly width: number; readonly height: number }): void {
    if (this.#size.width === width && this.#size.height === height) return;
    this.#size = { width, height };
    this.#painter = undefined;
    this.#wake(0);
  }

  #openPainter(): Painter {
    this.#painter ??= new Painter({
      ...this.#size,
      packer: this.#packer,
      rawFormat: this.#wishes.hasTight ? undefined : this.#format,
      photoQuality: this.#wishes.photoQuality,
      canCopy: this.#wishes.hasCopyRect,
      now: this.#options.now,
    });
    return this.#painter;
  }

  #wake(delayMs: number): void {
    if (this.#isBusy || this.#hasEnded) return;
    const nowMs = this.#options.now();
    const dueMs = Math.max(nowMs + delayMs, this.#lastMs + LEAST_BETWEEN_MS);
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const show = () => void this.#show().catch((error: unknown) => this.#end(error));
    // A timer would take a millisecond at least.
    if (dueMs <= nowMs) {
      queueMicrotask(show);
      return;
    }
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      show();
    }, dueMs - nowMs);
  }

  async #show(): Promise<void> {
    const { screen, toViewer, now } = this.#options;
    const isWanted = this.#isAsked || (this.#isContinuous && this.#pace.isOpen);
    if (this.#isBusy || this.#hasEnded || !isWanted || !toViewer.isEmpty || this.#size.width === 0) return;
    const painter = this.#openPainter();
    const hasNews = screen.hasNews || painter.unknown.length > 0;
    if (!hasNews && !painter.hasLoss) return;
    this.#isBusy = true;
    const nowMs = now();
    // What belongs to a first picture and didn't come with it isn't kept waiting.
    const isFirst = hasNews && nowMs - this.#lastMs > QUIET_MS;
    this.#lastMs = isFirst ? nowMs + FIRST_BETWEEN_MS - LEAST_BETWEEN_MS : nowMs;
    try {
      const update =
        (await this.#refresh(painter, { hasNews, nowMs })) ?? (await this.#paint(painter, hasNews));
      if (update !== undefined && !this.#hasEnded) this.#send(update);
    } finally {
      this.#isBusy = false;
    }
    for (const work of this.#behind.splice(0)) work();
    this.#requestOwed();
    if (screen.hasNews || painter.unknown.length > 0) this.#wake(this.#retries > 0 ? RETRY_MS : GATHER_MS);
    else if (painter.hasLoss) this.#wake(REFRESH_MS);
  }

  async #refresh(
    painter: Painter,
    { hasNews, nowMs }: { readonly hasNews: boolean; readonly nowMs: number },
  ): Promise<Buffer | undefined> {
    if (!painter.hasLoss || (hasNews && nowMs - this.#refreshedMs < REFRESH_BESIDE_MS)) return undefined;
    this.#refreshedMs = nowMs;
    return await painter.refresh();
  }

  async #paint(painter: Painter, hasNews: boolean): Promise<Buffer | undefined> {
    if (!hasNews) return undefined;
    let look: Look;
    try {
      look = await this.#options.screen.look(painter.screen, painter.unknown);
      this.#retries = 0;
    } catch (error) {
      if (++this.#retries > MOST_RETRIES)
        throw new AppError("unavailable", "the session's screen can't be looked at", { cause: error });
      return undefined;
    }
    return this.#hasEnded ? undefined : await painter.paint(look);
  }

  #send(update: Buffer): void {
    this.#isAsked = false;
    if (!this.#isContinuous) {
      this.#options.toViewer.send(update);
      return;
    }
    const noted = this.#pace.note(update.length, this.#options.now());
    if (noted === undefined) {
      this.#options.toViewer.send(update);
      return;
    }
    const mark = Buffer.alloc(4);
    mark.writeUInt32BE(noted);
    const fence = fenceOf((FENCE.asks | 1) >>> 0, mark);
    this.#options.toViewer.send(Buffer.concat([update, fence]));
  }
}

/** So much of the screen is asked of the server, which tells all else with it. */
const ONE_PIXEL: Rectangle = { x: 0, y: 0, width: 1, height: 1 };

function requestOf({ x, y, width, height }: Rectangle): Buffer {
  const request = Buffer.of(3, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  for (const [at, value] of [x, y, width, height].entries()) request.writeUInt16BE(value, 2 + 2 * at);
  return request;
}

function fenceOf(flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt8(FENCE.message, 0);
  head.writeUInt32BE(flags, 4);
  head.writeUInt8(payload.length, 8);
  return Buffer.concat([head, payload]);
}
