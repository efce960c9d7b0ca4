/** What the agent puts in place before it does anything else. May be called at each of its starts. */

import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { GuestPlaces } from "./places.ts";
import { DIALOG_SCRIPT, powerOffScript, SESSION_SCRIPT, slaveScript } from "./session/scripts.ts";

/** Returns the id of this boot. */
export function prepareMachine(places: GuestPlaces, random: () => string): string {
  const boot = readBoot(places, random);
  writeScript(places.dialog, DIALOG_SCRIPT);
  writeScript(places.sessionStart, SESSION_SCRIPT);
  writeScript(places.slave, slaveScript(process.execPath));
  return boot;
}

/** The id of this boot: the same for every agent until the desktop starts again. */
export function readBoot(places: Pick<GuestPlaces, "folder" | "boot">, random: () => string): string {
  mkdirSync(places.folder, { recursive: true, mode: 0o755 });
  chmodSync(places.folder, 0o755);
  if (!existsSync(places.boot)) writeFileSync(places.boot, random());
  return readFileSync(places.boot, "utf8");
}

/** Things outside our own folder that minimal images lack; what an image brings is left alone. */
export function completeImage(places: GuestPlaces): void {
  // A bus needs it, and programs key their settings in the home by it: so it must not change with each boot.
  if (!existsSync("/etc/machine-id") || readFileSync("/etc/machine-id", "utf8").trim().length !== 32) {
    const hostName = readFileSync("/proc/sys/kernel/hostname", "utf8");
    const id = createHash("sha256").update(`qvd machine ${hostName}`).digest("hex").slice(0, 32);
    writeFileSync("/etc/machine-id", `${id}\n`, { mode: 0o444 });
  }
  // Without it a shared folder can't be taken off again by its user.
  if (lstatSync("/etc/mtab", { throwIfNoEntry: false }) === undefined)
    symlinkSync("../proc/self/mounts", "/etc/mtab");
  // With systemd as init its own commands work.
  if (existsSync("/run/systemd/system")) return;
  mkdirSync("/usr/local/bin", { recursive: true });
  for (const name of ["poweroff", "halt"]) {
    const path = `/usr/local/bin/${name}`;
    if (!existsSync(path)) writeScript(path, powerOffScript(places.powerOffRequest));
  }
}

/** One that is there already may be running just now. */
function writeScript(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text && (statSync(path).mode & 0o777) === 0o755)
    return;
  writeFileSync(path, text, { mode: 0o755 });
  chmodSync(path, 0o755);
}
