/**
 * The session's sound server: programs of the desktop play into it whether or not anybody hears. One that the image's
 * session starts itself (PulseAudio or PipeWire) is used as it is; else the one that the image has is started.
 */

import { existsSync, writeFileSync } from "node:fs";
import type { RunResult } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import {
  type ChannelUser,
  endAllOfUser,
  findOfUser,
  KILLED,
  listOfUser,
  runAsUser,
  startAsUser,
} from "./as-user.ts";
import { mayAnswer, PIPEWIRE_PROGRAMS } from "./judge-pipewire.ts";
import { parseModules } from "./parse-modules.ts";
import { startPipewire } from "./pipewire.ts";

/** Read by PulseAudio instead of its own start file: no cards, no network, no other users. */
const PULSE_START = `load-module module-native-protocol-unix
load-module module-rescue-streams
load-module module-null-sink sink_name=qvd_silence sink_properties=device.description=Silence
`;

const SESSION_MANAGER = "/usr/bin/wireplumber";
/** An emulated machine takes many times as long as a container. */
const START_MS = 20_000;
/**
 * One that is well answers in some 20 ms, on an emulated machine in a second or two. PipeWire's PulseAudio side says nothing
 * for 30 s to who asked while its PipeWire was killed, and to anybody while it waits for a client that has just left.
 */
const ASK_MS = 5_000;

/** Undefined when a server is there, else why none is. `folder` is root's, and the user may read in it. */
export async function ensureSoundServer(user: ChannelUser, folder: string): Promise<string | undefined> {
  if (!existsSync("/usr/bin/pactl")) return "the image has no pactl (Debian: pulseaudio-utils)";
  const isUp = () => isServing(user);
  if (await isUp()) return undefined;
  if (existsSync("/usr/bin/pulseaudio")) {
    startPulseaudio(user, `${folder}/pulse.pa`);
    return (await waitFor(isUp, { timeoutMs: START_MS, everyMs: 50 }))
      ? undefined
      : didNotStart("PulseAudio");
  }
  if (!existsSync("/usr/bin/pipewire-pulse"))
    return "no sound server runs in the session, and the image has neither pulseaudio nor pipewire-pulse";
  if (!existsSync(SESSION_MANAGER))
    return "the image has pipewire-pulse, but nothing that joins its streams (Debian: wireplumber)";
  return (await startPipewire(user, { folder, isUp, timeoutMs: START_MS }))
    ? undefined
    : didNotStart("PipeWire");
}

export async function pactl(user: ChannelUser, ...words: readonly string[]): Promise<boolean> {
  return (await runAsUser(user, ["pactl", ...words])).exitCode === 0;
}

/** What costs the server next to nothing. What isn't answered in time has failed. */
export function askPactl(user: ChannelUser, ...words: readonly string[]): Promise<RunResult> {
  return runAsUser(user, ["pactl", ...words], { timeoutMs: ASK_MS });
}

/**
 * Unloads the modules that make a sink or source of one of these names. Does nothing where none is, and gives up where the
 * server stands still: it is looked at, and started anew, by whoever wants sound next.
 */
export async function unloadSound(user: ChannelUser, names: readonly string[]): Promise<void> {
  const listed = await askPactl(user, "list", "short", "modules");
  const words = names.flatMap((name) => [`sink_name=${name}`, `source_name=${name}`]);
  // Those that stand on others came after them.
  for (const module of parseModules(listed.stdout).toReversed())
    if (words.some((word) => module.words.includes(word))) {
      const { exitCode } = await askPactl(user, "unload-module", module.id);
      if (exitCode === KILLED) return;
    }
}

/** Whoever started it: with the session its sound is over. */
export function endSoundServer(user: ChannelUser): Promise<void> {
  return endAllOfUser(user, ["pulseaudio", ...PIPEWIRE_PROGRAMS]);
}

function startPulseaudio(user: ChannelUser, startFile: string): void {
  writeFileSync(startFile, PULSE_START, { mode: 0o644 });
  const quiet = ["--daemonize=no", "--exit-idle-time=-1", "--high-priority=no", "--realtime=no"];
  startAsUser(user, ["pulseaudio", "-n", "-F", startFile, ...quiet, "--log-target=null"]);
}

function didNotStart(name: string): string {
  return `the session's ${name} did not start`;
}

/** PipeWire answers without its session manager, too, and what plays is joined with nothing. */
async function isServing(user: ChannelUser): Promise<boolean> {
  const names = new Set(listOfUser(user).map(({ name }) => name));
  if (!mayAnswer(names, existsSync(SESSION_MANAGER))) return false;
  const { exitCode, stdout } = await askPactl(user, "info");
  if (exitCode !== 0 || !stdout.includes("on PipeWire")) return exitCode === 0;
  const isJoining = !existsSync(SESSION_MANAGER) || findOfUser(user, "wireplumber").length > 0;
  return isJoining && !stdout.includes("Default Sink: @DEFAULT_SINK@");
}
