/**
 * PipeWire for a session whose image has it instead of PulseAudio: three programs, in this order.
 *
 *     pipewire ──► wireplumber (joins streams with sinks, keeps which is the usual one)
 *         └──────► pipewire-pulse (speaks PulseAudio's protocol, which is all that we and programs speak)
 *
 * It is left without cards, as our PulseAudio is: a desktop has none, and what looks for them wants buses that a
 * session here hasn't got.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { waitFor } from "../../lib/wait.ts";
import { ageMsOf } from "../session/processes.ts";
import { type ChannelUser, endAllOfUser, listOfUser, runAsUser, startAsUser } from "./as-user.ts";
import { judgePipewire, PIPEWIRE_PROGRAMS } from "./judge-pipewire.ts";

export type PipewireStart = {
  /** Root's, and the user may read in it. */
  readonly folder: string;
  readonly isUp: () => Promise<boolean>;
  readonly timeoutMs: number;
};

/** One that the session is just starting itself gets this long. */
const OWN_START_MS = 3_000;
const SILENCE = ["module-null-sink", "sink_name=qvd_silence", "sink_properties=device.description=Silence"];

/**
 * Read besides the image's own settings, the user's aside. Its monitors of cards, cameras and Bluetooth and the portal
 * are what ends WirePlumber where there is no D-Bus. Version 0.4 reads the first two, later ones the third.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  "main.lua.d/51-qvd.lua": `alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
default_access.properties["enable-flatpak-portal"] = false
`,
  "bluetooth.lua.d/51-qvd.lua": "bluez_monitor.enabled = false\n",
  "wireplumber.conf.d/51-qvd.conf": `wireplumber.profiles = {
  main = {
    hardware.audio = disabled
    hardware.bluetooth = disabled
    hardware.video-capture = disabled
  }
}
`,
};

/** Whether it is up. Parts that are there without the others are ended first. */
export async function startPipewire(
  user: ChannelUser,
  { folder, isUp, timeoutMs }: PipewireStart,
): Promise<boolean> {
  if (await comesUpItself(user, isUp)) return true;
  await endAllOfUser(user, PIPEWIRE_PROGRAMS);
  writeSettings(`${folder}/sound/wireplumber`);
  // The others end where they find nobody; what a killed one has left would be taken for somebody.
  const socket = `/run/user/${user.uid}/pipewire-0`;
  await runAsUser(user, ["rm", "-f", "--", socket]);
  startAsUser(user, ["pipewire"]);
  const isThere = () => existsSync(socket);
  if (!(await waitFor(isThere, { timeoutMs, everyMs: 20 }))) return false;
  startAsUser(user, ["wireplumber"], { XDG_CONFIG_HOME: `${folder}/sound` });
  startAsUser(user, ["pipewire-pulse"]);
  if (!(await waitFor(isUp, { timeoutMs, everyMs: 50 }))) return false;
  return (await runAsUser(user, ["pactl", "load-module", ...SILENCE])).exitCode === 0;
}

/** One that is starting gets its time, and one that is whole another question; what has lost a part gets neither. */
async function comesUpItself(user: ChannelUser, isUp: () => Promise<boolean>): Promise<boolean> {
  const look = async () => {
    const state = judgePipewire(findParts(user), OWN_START_MS);
    if (state === "absent" || state === "broken") return "over";
    return (await isUp()) ? "up" : undefined;
  };
  return (await waitFor(look, { timeoutMs: OWN_START_MS, everyMs: 100 })) === "up";
}

function findParts(user: ChannelUser) {
  const names: readonly string[] = PIPEWIRE_PROGRAMS;
  const parts = listOfUser(user).filter(({ name }) => names.includes(name));
  return parts.map((part) => ({ name: part.name, ageMs: ageMsOf(part) }));
}

function writeSettings(folder: string): void {
  for (const [name, text] of Object.entries(SETTINGS)) {
    mkdirSync(dirname(`${folder}/${name}`), { recursive: true, mode: 0o755 });
    writeFileSync(`${folder}/${name}`, text, { mode: 0o644 });
  }
}
