/**
 * Sound: programs of the desktop play into a PulseAudio server of the session, and while a client is connected that
 * server hands on to the client's PulseAudio through nxagent's media channel. Between clients what plays goes on
 * into silence. A server that the image's session starts itself (PulseAudio or PipeWire) is used as it is.
 */

import { existsSync } from "node:fs";
import { waitFor } from "../../lib/wait.ts";
import { type ChannelUser, endOfUser, runAsUser, startAsUser } from "./as-user.ts";
import { parseModules } from "./parse-modules.ts";
import { SOUND_PORT } from "./plan-channels.ts";

/** Read by PulseAudio instead of its own start file: no cards, no network, no other users. */
export const PULSE_START = `load-module module-native-protocol-unix
load-module module-rescue-streams
load-module module-null-sink sink_name=qvd_silence sink_properties=device.description=Silence
`;

const SINK = "qvd_client";
const SOURCE = "qvd_microphone";
const SERVER = `server=tcp:127.0.0.1:${SOUND_PORT}`;
const SINK_ARGUMENTS = `sink_properties=device.description=Client`;
const START_MS = 5_000;
const SETTLE_MS = 4_000;

/** Undefined when it went well, else why not. */
export async function connectSound(
  user: ChannelUser,
  { startFile, hasMicrophone }: { readonly startFile: string; readonly hasMicrophone: boolean },
): Promise<string | undefined> {
  if (!existsSync("/usr/bin/pactl")) return "the image has no pactl (Debian: pulseaudio-utils)";
  if (!(await isServing(user))) {
    if (!existsSync("/usr/bin/pulseaudio"))
      return "no sound server runs in the session, and the image has no pulseaudio";
    const quiet = ["--daemonize=no", "--exit-idle-time=-1", "--high-priority=no", "--realtime=no"];
    startAsUser(user, ["pulseaudio", "-n", "-F", startFile, ...quiet, "--log-target=null"]);
    if (!(await waitFor(() => isServing(user), { timeoutMs: START_MS, everyMs: 50 })))
      return "the session's PulseAudio did not start";
  }
  await disconnectSound(user);
  const sink = ["load-module", "module-tunnel-sink", `sink_name=${SINK}`, SERVER, SINK_ARGUMENTS];
  if (!(await pactl(user, ...sink))) return "the session's sound server refused the tunnel to the client";
  // The tunnel is there at once and goes again when nobody answers at the client.
  if (!(await waitFor(() => isOpen(user), { timeoutMs: SETTLE_MS, everyMs: 100 })))
    return "the client's PulseAudio does not answer; it must listen where its nxproxy's media option says";
  await pactl(user, "set-default-sink", SINK);
  if (!hasMicrophone) return undefined;
  const source = ["load-module", "module-tunnel-source", `source_name=${SOURCE}`, SERVER];
  if (!(await pactl(user, ...source))) return "the session's sound server refused the client's microphone";
  await pactl(user, "set-default-source", SOURCE);
  return undefined;
}

/** What plays goes on into silence. Does nothing where nothing is. */
export async function disconnectSound(user: ChannelUser): Promise<void> {
  const listed = await runAsUser(user, ["pactl", "list", "short", "modules"]);
  for (const module of parseModules(listed.stdout))
    if (module.words.includes(`sink_name=${SINK}`) || module.words.includes(`source_name=${SOURCE}`))
      await pactl(user, "unload-module", module.id);
}

export function endSound(user: ChannelUser): void {
  endOfUser(user, "pulseaudio");
}

async function isServing(user: ChannelUser): Promise<boolean> {
  return pactl(user, "info");
}

/** A sink that waits for its client's answer has a latency of nothing; one that was answered is idle or plays. */
async function isOpen(user: ChannelUser): Promise<boolean> {
  const { stdout } = await runAsUser(user, ["pactl", "list", "short", "sinks"]);
  return stdout.split("\n").some((line) => line.split("\t")[1] === SINK);
}

async function pactl(user: ChannelUser, ...words: readonly string[]): Promise<boolean> {
  return (await runAsUser(user, ["pactl", ...words])).exitCode === 0;
}
