/** The root of a desktop that browsers can see: the session of two colours, and what shows it. */

import { buildDebianRoot } from "./debian-root.ts";

const SESSION = ["nxagent", "xauth", "xinit", "x11-xserver-utils", "xterm", "icewm", "dbus", "dbus-x11"];
const DISPLAY = ["tigervnc-scraping-server", "x11vnc", "xvfb", "nxproxy", "x11-utils", "xclip"];
const SHELL = ["procps", "iproute2", "passwd"];

/** Path of the tar archive; the first call takes two minutes. */
export function buildDisplayRoot(): Promise<string> {
  return buildDebianRoot({
    name: "display",
    packages: [...SESSION, ...DISPLAY, ...SHELL],
    variant: "minbase",
  });
}
