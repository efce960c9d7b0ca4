/** The agent's real surroundings. */

import { existsSync, readFileSync, writeSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { systemClock } from "../lib/clock.ts";
import { isListening } from "../lib/is-listening.ts";
import { createLog, type Log } from "../lib/log.ts";
import { NX_PORT } from "../wire/guest/messages.ts";
import { dialPort } from "./dial.ts";
import { BrowserSound } from "./display/browser-sound.ts";
import { Display } from "./display/display.ts";
import { displayPrograms } from "./display/programs.ts";
import { openScreenServer } from "./display/screen-server.ts";
import { HOME_DISK_WORLD, mountHomeDisk } from "./home-disk.ts";
import { GuestHooks } from "./hooks/hooks.ts";
import { letScriptsRun } from "./let-scripts-run.ts";
import { linkHome } from "./link-home.ts";
import { Peripherals } from "./peripherals/peripherals.ts";
import { guestPlaces } from "./places.ts";
import { completeImage, prepareMachine, readBoot } from "./prepare-machine.ts";
import { provision } from "./provision.ts";
import type { GuestDeps } from "./run-guest.ts";
import { launch, planLaunch, prepareLaunch, readLang } from "./session/launch.ts";
import { openOwnServer } from "./session/open-own-server.ts";
import { readRecord } from "./session/record.ts";
import { setTimeZone } from "./set-time-zone.ts";
import { NOTICE_WORLD, showNotice } from "./show-notice.ts";

/** Made by udev for the virtio port that the node's QEMU offers. */
export const MACHINE_PORT = "/dev/virtio-ports/org.qvd.guest.0";

/** Only for a process that is root inside a desktop: it makes accounts and writes below /etc and /run. */
export function defaultGuestDeps(): GuestDeps {
  const places = guestPlaces();
  const random = () => crypto.randomUUID();
  const log = createLog({
    level: "info",
    // Not by process.stderr: a stream would cost the desktop a megabyte of memory.
    write: writeLine,
    now: () => new Date(),
  });
  // In a virtual machine there is no folder of the host's.
  const isMachine = existsSync(MACHINE_PORT);
  return {
    places,
    ...(isMachine ? { dial: dialPort(MACHINE_PORT) } : {}),
    log,
    clock: systemClock,
    random,
    prepareMachine: () => {
      if (isMachine) mountHomeDisk(HOME_DISK_WORLD);
      return readBoot(places, random);
    },
    completeMachine: () => {
      prepareMachine(places, random);
      // The session runs without: no folder is shared, and a closed window suspends nothing.
      attempt(log, "scripts-kept-from-running", () => letScriptsRun(places.folder));
      // An image that has something odd in those places, or a full disk, keeps nobody from their session.
      attempt(log, "image-not-completed", () => completeImage(places));
    },
    provision,
    openHooks: (onFailure) => new GuestHooks({ log, onFailure }),
    launch: (input) => {
      prepareLaunch(input, places);
      return launch(planLaunch(input, places, readLang()), places.log);
    },
    showNotice: (text) => showNotice(text, readRecord(places.record), NOTICE_WORLD),
    setTimeZone: (zone) => setTimeZone(zone, { log }),
    openPeripherals: (onFailure) => new Peripherals({ places, log, isPortOpen: isListening, onFailure }),
    linkHome: (wanted, home) => linkHome(wanted, home, { log }),
    isPortOpen: () => isListening(NX_PORT),
    ownServer: openOwnServer(places),
    display: {
      screen: new Display({
        log,
        programs: displayPrograms,
        openServer: (user) =>
          openScreenServer(
            { folder: places.folder, executable: [process.execPath], log, isPortOpen: isListening },
            user,
          ),
        sound: new BrowserSound({ log, folder: places.folder }),
      }),
      programs: displayPrograms,
    },
    observe: () => ({ uptimeSeconds: readUptimeSeconds(), address: readAddress() }),
  };
}

function attempt(log: Log, event: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    log.error(event, { error });
  }
}

function writeLine(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // A full disk ends no session; the line is lost.
  }
}

/** Since init started: /proc/uptime would tell the host's. */
function readUptimeSeconds(): number {
  const [uptime = "0"] = readFileSync("/proc/uptime", "utf8").split(" ");
  const stat = readFileSync("/proc/1/stat", "utf8");
  const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  return Math.max(0, Math.round(Number(uptime) - startTicks / 100));
}

function readAddress(): string | null {
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find((one) => one.family === "IPv4" && !one.internal);
    if (found !== undefined) return found.address;
  }
  return null;
}
