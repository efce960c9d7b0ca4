/**
 * The channel `microphone`: samples of the person's microphone, played into a sink whose monitor is what programs of the
 * session record. A browser's clock is not the desktop's: what comes faster than this desktop records is dropped, so
 * that what is heard never lags by more than the burst.
 */

import { PatientWriter } from "../../wire/display/patient-writer.ts";
import { formatSoundHead } from "../../wire/display/sound.ts";
import { type ChannelUser, pipeAsUser } from "../peripherals/as-user.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { feedChild, flushInput } from "./feed-child.ts";

const SAMPLE_BYTES = 2;
/** How far a browser may be ahead. */
const MOST_AHEAD_MS = 200;

/** Takes samples until `close`. */
export function startMicrophone(
  socket: DoorSocket,
  user: ChannelUser,
  { sink, rate }: { readonly sink: string; readonly rate: number },
): ChannelOwner {
  const words = ["--playback", "--raw", "--format=s16le", `--rate=${rate}`, "--channels=1"];
  const player = pipeAsUser(user, ["pacat", ...words, "--latency-msec=40", `--device=${sink}`]);
  const writer = new PatientWriter(socket);
  writer.write(formatSoundHead({ codec: "pcm" }));
  const pace = new Pace({ bytesPerMs: (rate * SAMPLE_BYTES) / 1000, mostAheadMs: MOST_AHEAD_MS });
  void player.exited.then(() => socket.end());
  return {
    data: (chunk) => {
      const taken = pace.take(chunk, performance.now());
      if (taken.length === 0) return;
      void feedChild(player.stdin, taken.slice());
      flushInput(player.stdin);
    },
    drain: () => writer.drain(),
    close: () => player.kill("SIGKILL"),
  };
}

/** Lets bytes through at a rate, and some ahead of it. */
export class Pace {
  readonly #bytesPerMs: number;
  readonly #mostAheadMs: number;
  /** When all that was let through will have been played. */
  #playedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether half a sample too much was dropped: the other half goes with it, or all that follows would be noise. */
  #isOdd = false;

  constructor({ bytesPerMs, mostAheadMs }: { readonly bytesPerMs: number; readonly mostAheadMs: number }) {
    this.#bytesPerMs = bytesPerMs;
    this.#mostAheadMs = mostAheadMs;
  }

  /** What of a chunk may pass: all, all but half a sample, or nothing. */
  take(chunk: Uint8Array, nowMs: number): Uint8Array {
    const from = Math.max(this.#playedAtMs, nowMs);
    if (from - nowMs > this.#mostAheadMs) {
      if (chunk.length % SAMPLE_BYTES !== 0) this.#isOdd = !this.#isOdd;
      return chunk.subarray(chunk.length);
    }
    const taken = chunk.subarray(this.#isOdd ? 1 : 0);
    if (chunk.length > 0) this.#isOdd = false;
    this.#playedAtMs = from + taken.length / this.#bytesPerMs;
    return taken;
  }
}
