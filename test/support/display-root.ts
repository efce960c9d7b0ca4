/** The root of a desktop that browsers can see: the session of two colours, and what shows it. */

import { buildDebianRoot } from "./debian-root.ts";

const SESSION = ["nxagent", "xauth", "xinit", "x11-xserver-utils", "xterm", "icewm", "dbus", "dbus-x11"];
const DISPLAY = ["tigervnc-scraping-server", "x11vnc", "xvfb", "nxproxy", "x11-utils", "xclip"];
const SHELL = ["procps", "iproute2", "passwd"];
/** The X server of sessions that begin in a browser. */
const OWN_SERVER = ["tigervnc-standalone-server"];

/** Path of the tar archive; the first call takes two minutes. Without `hasOwnServer` it is an image of before. */
export function buildDisplayRoot({ hasOwnServer = false } = {}): Promise<string> {
  const more = hasOwnServer ? OWN_SERVER : [];
  return buildDebianRoot({
    name: "display",
    packages: [...SESSION, ...DISPLAY, ...SHELL, ...more],
    variant: "minbase",
  });
}
