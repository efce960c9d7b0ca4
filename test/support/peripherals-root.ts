/** The root of a desktop with sound, printing and shared folders: the session of two colours, and what serves the channels. */

import { buildDebianRoot } from "./debian-root.ts";

const SESSION = ["nxagent", "xauth", "xinit", "x11-xserver-utils", "xterm", "dbus", "dbus-x11"];
const CHANNELS = [
  "pulseaudio",
  "pulseaudio-utils",
  "cups-daemon",
  "cups-client",
  "smbclient",
  "sshfs",
  "openssh-sftp-server",
  "xdg-utils",
  "file",
];
const SHELL = ["procps", "iproute2", "passwd"];

/** Path of the tar archive; the first call takes two minutes. */
export function buildPeripheralsRoot(): Promise<string> {
  return buildDebianRoot({
    name: "peripherals",
    packages: [...SESSION, ...CHANNELS, ...SHELL],
    variant: "minbase",
  });
}
