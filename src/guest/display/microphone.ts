/**
 * The channel `microphone`: samples of the person's microphone, played into a sink whose monitor is what programs of the
 * session record. A browser's clock is not the desktop's: what comes faster than this desktop records is dropped, so
 * that what is heard never lags by more than the burst.
 */

import { PatientWriter } from "../../wire/display/patient-writer.ts";
import { formatSoundHead } from "../../wire/display/sound.ts";
import { type ChannelUser, pipeAsUser } from "../peripherals/as-user.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";

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
      if (!pace.takes(chunk.length, performance.now())) return;
      player.stdin.write(chunk.slice());
      player.stdin.flush();
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
  /** Of a sample that was cut in two, so that what is dropped is whole samples. */
  #isOdd = false;

  constructor({ bytesPerMs, mostAheadMs }: { readonly bytesPerMs: number; readonly mostAheadMs: number }) {
    this.#bytesPerMs = bytesPerMs;
    this.#mostAheadMs = mostAheadMs;
  }

  takes(bytes: number, nowMs: number): boolean {
    const from = Math.max(this.#playedAtMs, nowMs);
    const isWhole = bytes % SAMPLE_BYTES === 0 && !this.#isOdd;
    if (isWhole && from - nowMs > this.#mostAheadMs) return false;
    if (bytes % SAMPLE_BYTES !== 0) this.#isOdd = !this.#isOdd;
    this.#playedAtMs = from + bytes / this.#bytesPerMs;
    return true;
  }
}
