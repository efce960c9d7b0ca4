/** The root of a desktop that browsers can see and hear: that of the pictures, with a sound server and an encoder. */

import { buildDebianRoot } from "./debian-root.ts";

const SESSION = ["nxagent", "xauth", "xinit", "x11-xserver-utils", "xterm", "icewm", "dbus", "dbus-x11"];
const DISPLAY = ["tigervnc-scraping-server", "x11vnc", "xvfb", "nxproxy", "x11-utils", "xclip"];
const SOUND = ["pulseaudio", "pulseaudio-utils", "opus-tools"];
const SHELL = ["procps", "iproute2", "passwd"];

/** Path of the tar archive; the first call takes two minutes. */
export function buildSoundRoot(): Promise<string> {
  return buildDebianRoot({
    name: "sound",
    packages: [...SESSION, ...DISPLAY, ...SOUND, ...SHELL],
    variant: "minbase",
  });
}
