/**
 * Joins a page's WebSocket with a channel of sound, either way. Nothing of it is ever kept for later: the page says how many
 * frames it has had, and while too many are under way, further ones are dropped, as are samples that the desktop
 * doesn't take at once.
 */

import { TokenBucket } from "../../../lib/token-bucket.ts";
import {
  FrameSplitter,
  MOST_SOUND_HEAD,
  PCM_FRAME_BYTES,
  parseSoundHead,
} from "../../../wire/display/sound.ts";
import type { OwnedSocket, SocketOwner } from "../../socket.ts";
import type { PageSocket, PageSocketOwner } from "../page-socket.ts";

/** Of 20 ms each: so much later than it was played a sound may come. */
export const MOST_UNDER_WAY = 40;
const LF = 10;
/** In frames, of which there are 50 a second; what a network held up comes at once. Empty ones would cost us more than they cost a desktop. */
const FRAMES = { perSecond: 200, burst: 10_000 };

export class SoundEnd implements PageSocketOwner, SocketOwner {
  readonly #page: PageSocket;
  readonly #frames = new FrameSplitter();
  readonly #bucket = new TokenBucket(FRAMES, performance.now());
  #desktop: OwnedSocket | undefined;
  #line = "";
  #hasHead = false;
  #isClosed = false;
  #sent = 0;
  #heard = 0;
  /** Of a chunk that the desktop took in part. */
  #unsent: Uint8Array | undefined;

  constructor(page: PageSocket) {
    this.#page = page;
  }

  /** The desktop's side, from its word on. */
  own(socket: OwnedSocket): SoundEnd {
    if (this.#isClosed) socket.terminate();
    else this.#desktop = socket;
    return this;
  }

  /** Says why not, and ends it. */
  refuse(text: string): void {
    this.#page.sendText(JSON.stringify({ type: "sound-refused", text }));
    this.#close();
  }

  /** Samples from the page. */
  onBinary(chunk: Uint8Array): void {
    if (this.#unsent !== undefined || this.#desktop === undefined || !this.#hasHead) return;
    const written = Math.max(0, this.#desktop.write(chunk));
    // Samples have two bytes, so what was begun is finished.
    if (written > 0 && written < chunk.length) this.#unsent = chunk.slice(written);
  }

  /** How many frames the page has had. */
  onText(text: string): void {
    if (/^[0-9]{1,12}$/.test(text)) this.#heard = Math.max(this.#heard, Math.min(this.#sent, Number(text)));
  }

  onData(chunk: Uint8Array): void {
    const rest = this.#hasHead ? chunk : this.#takeHead(chunk);
    if (rest === undefined || this.#isClosed) return;
    const frames = this.#frames.push(rest);
    const cost = (frames?.length ?? 0) + chunk.length / PCM_FRAME_BYTES;
    if (frames === undefined || !this.#bucket.take(cost, performance.now())) this.#close();
    else for (const frame of frames) this.#pass(frame);
  }

  onDrain(): void {
    if (this.#unsent === undefined || this.#desktop === undefined) return;
    const written = Math.max(0, this.#desktop.write(this.#unsent));
    this.#unsent = written < this.#unsent.length ? this.#unsent.subarray(written) : undefined;
  }

  onEnd(): void {
    this.#close();
  }

  onHandshake(): void {}

  /** Either side is gone. */
  onClose(): void {
    this.#close();
  }

  /** What follows the head; undefined while it isn't all there. */
  #takeHead(chunk: Uint8Array): Uint8Array | undefined {
    const end = chunk.indexOf(LF);
    this.#line += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (end === -1) {
      if (this.#line.length > MOST_SOUND_HEAD) this.#close();
      return undefined;
    }
    const head = parseSoundHead(Buffer.from(this.#line, "latin1").toString("utf8"));
    this.#hasHead = true;
    if (head === undefined) this.#close();
    else if ("problem" in head) this.refuse(`No sound: ${head.problem}.`);
    else this.#page.sendText(JSON.stringify({ type: "sound-ready", codec: head.codec }));
    return chunk.subarray(end + 1);
  }

  #pass(frame: Uint8Array): void {
    if (this.#sent - this.#heard >= MOST_UNDER_WAY) return;
    this.#sent += 1;
    this.#page.sendBinary(frame);
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#desktop?.terminate();
    this.#page.close();
  }
}
