/**
 * Sound: programs of the desktop play into a PulseAudio server of the session, and while a client is connected that
 * server hands on to the client's PulseAudio through nxagent's media channel. Between clients what plays goes on
 * into silence.
 */

import { waitFor } from "../../lib/wait.ts";
import { type ChannelUser, KILLED, runAsUser } from "./as-user.ts";
import { SOUND_PORT } from "./plan-channels.ts";
import { askPactl, ensureSoundServer, pactl, unloadSound } from "./sound-server.ts";

const SINK = "qvd_client";
const SOURCE = "qvd_microphone";
const SERVER = `server=tcp:127.0.0.1:${SOUND_PORT}`;
const SINK_ARGUMENTS = `sink_properties=device.description=Client`;
/** An emulated machine beside others takes this long to be told of its tunnel. */
const SETTLE_MS = 10_000;
/** Without an answer it is gone by then. */
const STAY_MS = 1_500;

const NO_ANSWER =
  "the client's PulseAudio does not answer; it must listen where its nxproxy's media option says";

export type SoundWish = {
  /** Root's, and the user may read in it. */
  readonly folder: string;
  readonly hasMicrophone: boolean;
  /** Whether the client is still there. */
  readonly isWanted: () => boolean;
};

/** Undefined when it went well, else why not. */
export async function connectSound(
  user: ChannelUser,
  { folder, hasMicrophone, isWanted }: SoundWish,
): Promise<string | undefined> {
  const problem = await ensureSoundServer(user, folder);
  if (problem !== undefined) return problem;
  await disconnectSound(user);
  const sink = ["load-module", "module-tunnel-sink", `sink_name=${SINK}`, SERVER, SINK_ARGUMENTS];
  // Where nobody answers at the client, PipeWire refuses the tunnel; PulseAudio has it at once, and takes it away again.
  const isThere =
    (await doesAnswer(user, isWanted)) &&
    (await pactl(user, ...sink)) &&
    (await waitFor(() => hasSink(user), { timeoutMs: SETTLE_MS, everyMs: 100 })) === true &&
    (await waitFor(async () => (await hasSink(user)) === false, { timeoutMs: STAY_MS, everyMs: 100 })) !==
      true;
  if (!isThere) return NO_ANSWER;
  await pactl(user, "set-default-sink", SINK);
  if (!hasMicrophone) return undefined;
  if (!(await doesAnswer(user, isWanted))) return NO_ANSWER;
  const source = ["load-module", "module-tunnel-source", `source_name=${SOURCE}`, SERVER];
  if (!(await pactl(user, ...source))) return "the session's sound server refused the client's microphone";
  await pactl(user, "set-default-source", SOURCE);
  return undefined;
}

/**
 * Asked before each tunnel: PipeWire's PulseAudio side stands still for 30 s, and all sound of the desktop with it, while it
 * connects a tunnel to one that takes the connection and says nothing, as it is where a client has just left. What else is
 * wrong is the tunnel's to find.
 */
async function doesAnswer(user: ChannelUser, isWanted: () => boolean): Promise<boolean> {
  if (!isWanted()) return false;
  const ask = ["pactl", `--server=tcp:127.0.0.1:${SOUND_PORT}`, "info"];
  const { exitCode } = await runAsUser(user, ask, { timeoutMs: SETTLE_MS });
  return exitCode !== KILLED && isWanted();
}

/** What plays goes on into silence. Does nothing where nothing is. */
export async function disconnectSound(user: ChannelUser): Promise<void> {
  await unloadSound(user, [SINK, SOURCE]);
}

/** Undefined where the sound server didn't say, as on a box that is too busy. */
async function hasSink(user: ChannelUser): Promise<boolean | undefined> {
  const { exitCode, stdout } = await askPactl(user, "list", "short", "sinks");
  if (exitCode !== 0) return undefined;
  return stdout.split("\n").some((line) => line.split("\t")[1] === SINK);
}
