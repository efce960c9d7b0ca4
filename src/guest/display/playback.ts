/**
 * The channel `sound`: what the session plays, as frames.
 *
 *     parec ──samples──► silence gate ──► opusenc ──Ogg──► packets ──► broker
 *                             └────────── pcm ─────────────────────────►
 *
 * Encoded in a program of Debian's, since 20 ms of Opus are 250 bytes and of samples 3,840. Frames that the broker
 * doesn't take at once are dropped: late sound is worth less than none.
 */

import { existsSync } from "node:fs";
import { PatientWriter } from "../../wire/display/patient-writer.ts";
import {
  FRAME_MS,
  formatFrame,
  formatSoundHead,
  PCM_FRAME_BYTES,
  parseSoundWish,
  SOUND_CHANNELS,
  SOUND_RATE,
  type SoundCodec,
} from "../../wire/display/sound.ts";
import { type ChannelUser, pipeAsUser } from "../peripherals/as-user.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { OggPackets } from "./ogg-packets.ts";
import { SilenceGate } from "./silence-gate.ts";

const ENCODER = "/usr/bin/opusenc";
/** `OpusHead` and `OpusTags` come first, and are no sound. */
const HEAD_PACKETS = 2;

const RECORD = [
  "parec",
  "--format=s16le",
  `--rate=${SOUND_RATE}`,
  `--channels=${SOUND_CHANNELS}`,
  "--latency-msec=20",
  "--process-time-msec=10",
];

/** Measured: with these it writes a page for each 20 ms as they come; without the last but one after two seconds. */
const ENCODE = [
  ...["stdbuf", "-o0", ENCODER, "--quiet", "--raw", "--raw-rate", `${SOUND_RATE}`],
  ...["--raw-chan", `${SOUND_CHANNELS}`, "--bitrate", "96", "--comp", "5", "--framesize", `${FRAME_MS}`],
  ...["--max-delay", `${FRAME_MS}`, "--set-ctl-int", "14000=0", "-", "-"],
];

/** Undefined when the page plays nothing that this image can send. */
export function chooseCodec(argument: string, hasEncoder = existsSync(ENCODER)): SoundCodec | undefined {
  return parseSoundWish(argument).find((codec) => codec === "pcm" || hasEncoder);
}

/** Sends what the sink of that name plays, until `close`. */
export function startPlayback(
  socket: DoorSocket,
  user: ChannelUser,
  { sink, codec }: { readonly sink: string; readonly codec: SoundCodec },
): ChannelOwner {
  const writer = new PatientWriter(socket);
  writer.write(formatSoundHead({ codec }));
  const send = (frame: Uint8Array) => void writer.write(formatFrame(frame));
  const recorder = pipeAsUser(user, [...RECORD, `--device=${sink}.monitor`]);
  const encoder = codec === "opus" ? pipeAsUser(user, ENCODE) : undefined;
  const take = encoder === undefined ? send : feed(encoder.stdin);
  const end = () => void socket.end();
  void passFrames(recorder.stdout, take).then(end, end);
  if (encoder !== undefined) void passPackets(encoder.stdout, send).then(end, end);
  return {
    data: () => {},
    drain: () => writer.drain(),
    close: () => {
      recorder.kill("SIGKILL");
      encoder?.kill("SIGKILL");
    },
  };
}

/** A frame that finds the encoder busy with the one before is dropped. */
function feed(input: Bun.FileSink): (frame: Uint8Array) => void {
  let isBusy = false;
  return (frame) => {
    if (isBusy) return;
    input.write(frame);
    const flushed = input.flush();
    if (typeof flushed === "number") return;
    isBusy = true;
    const free = () => {
      isBusy = false;
    };
    // An encoder that died has ended the channel by its output.
    void flushed.then(free, free);
  };
}

async function passFrames(
  samples: ReadableStream<Uint8Array>,
  take: (frame: Uint8Array) => void,
): Promise<void> {
  const gate = new SilenceGate(PCM_FRAME_BYTES);
  for await (const chunk of samples) for (const frame of gate.push(chunk)) take(frame);
}

async function passPackets(
  stream: ReadableStream<Uint8Array>,
  send: (packet: Uint8Array) => void,
): Promise<void> {
  const packets = new OggPackets();
  let count = 0;
  for await (const chunk of stream)
    for (const packet of packets.push(chunk)) if (++count > HEAD_PACKETS) send(packet);
}
