/** The root of a desktop whose sound server is PipeWire, as Debian 12 has it: no PulseAudio but its tools. */

import { buildDebianRoot } from "./debian-root.ts";

const SESSION = ["nxagent", "xauth", "xinit", "x11-xserver-utils", "xterm", "dbus", "dbus-x11"];
const SOUND = ["pipewire", "pipewire-pulse", "wireplumber", "pulseaudio-utils"];
const SHELL = ["procps", "iproute2", "passwd"];

/** Path of the tar archive; the first call takes two minutes. */
export function buildPipewireRoot(): Promise<string> {
  return buildDebianRoot({
    name: "pipewire",
    packages: [...SESSION, ...SOUND, ...SHELL],
    variant: "minbase",
  });
}
