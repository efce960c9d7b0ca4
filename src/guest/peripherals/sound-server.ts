/**
 * The session's PulseAudio: programs of the desktop play into it whether or not anybody hears. A server that the image's
 * session starts itself (PulseAudio or PipeWire) is used as it is.
 */

import { existsSync } from "node:fs";
import { waitFor } from "../../lib/wait.ts";
import { type ChannelUser, runAsUser, startAsUser } from "./as-user.ts";
import { parseModules } from "./parse-modules.ts";

/** Read by PulseAudio instead of its own start file: no cards, no network, no other users. */
export const PULSE_START = `load-module module-native-protocol-unix
load-module module-rescue-streams
load-module module-null-sink sink_name=qvd_silence sink_properties=device.description=Silence
`;

/** An emulated machine takes many times as long as a container. */
const START_MS = 20_000;

/** Undefined when a server is there, else why none is. */
export async function ensureSoundServer(user: ChannelUser, startFile: string): Promise<string | undefined> {
  if (!existsSync("/usr/bin/pactl")) return "the image has no pactl (Debian: pulseaudio-utils)";
  if (await isServing(user)) return undefined;
  if (!existsSync("/usr/bin/pulseaudio"))
    return "no sound server runs in the session, and the image has no pulseaudio";
  const quiet = ["--daemonize=no", "--exit-idle-time=-1", "--high-priority=no", "--realtime=no"];
  startAsUser(user, ["pulseaudio", "-n", "-F", startFile, ...quiet, "--log-target=null"]);
  const isUp = await waitFor(() => isServing(user), { timeoutMs: START_MS, everyMs: 50 });
  return isUp ? undefined : "the session's PulseAudio did not start";
}

export async function pactl(user: ChannelUser, ...words: readonly string[]): Promise<boolean> {
  return (await runAsUser(user, ["pactl", ...words])).exitCode === 0;
}

/** Unloads the modules that make a sink or source of one of these names. Does nothing where none is. */
export async function unloadSound(user: ChannelUser, names: readonly string[]): Promise<void> {
  const listed = await runAsUser(user, ["pactl", "list", "short", "modules"]);
  const words = names.flatMap((name) => [`sink_name=${name}`, `source_name=${name}`]);
  // Those that stand on others came after them.
  for (const module of parseModules(listed.stdout).toReversed())
    if (words.some((word) => module.words.includes(word))) await pactl(user, "unload-module", module.id);
}

function isServing(user: ChannelUser): Promise<boolean> {
  return pactl(user, "info");
}
