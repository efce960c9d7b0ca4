/**
 * The person's own disk in a virtual machine, mounted on /home. It comes blank, and then gets its file system
 * here: only a disk whose beginning is all zeros is one that nobody has written to.
 */

import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { AppError } from "../lib/errors.ts";

export type HomeDiskWorld = {
  /** The device with the serial number `home`; undefined where the machine has none. */
  readonly findDisk: () => string | undefined;
  readonly isMounted: () => boolean;
  readonly isBlank: (device: string) => boolean;
  /** Its exit code. */
  readonly run: (command: readonly string[]) => number;
};

const MOUNT = ["mount", "-t", "ext4", "-o", "nosuid,nodev,noatime"];

/** May be called at each start of the agent. Throws where there is a disk that can't be used: a home elsewhere would be lost. */
export function mountHomeDisk(world: HomeDiskWorld): void {
  const device = world.findDisk();
  if (device === undefined || world.isMounted()) return;
  if (world.isBlank(device)) must(["mkfs.ext4", "-q", "-m", "0", "-L", "qvd-home", device]);
  // 1 and 2 say that something was repaired (e2fsck(8)).
  must(["e2fsck", "-p", device], 2);
  must([...MOUNT, device, "/home"]);
  // Where its limit was raised, else there is nothing to do. While it is mounted: resize2fs wants a full check of one
  // that isn't. A home that could not grow is still a home.
  world.run(["resize2fs", device]);

  function must(command: readonly string[], mostExitCode = 0): void {
    const exitCode = world.run(command);
    if (exitCode <= mostExitCode) return;
    const what = `${command[0]} ended with ${exitCode}`;
    throw new AppError("guest-failed", `preparing the home on ${device}: ${what}`);
  }
}

const BLANK_BYTES = 1 << 20;
const PROGRAM_TIMEOUT_MS = 30 * 60_000;

export const HOME_DISK_WORLD: HomeDiskWorld = {
  findDisk() {
    const names = readdirSync("/sys/block").filter((name) => name.startsWith("vd"));
    const name = names.find((one) => readSerial(one) === "home");
    return name === undefined ? undefined : `/dev/${name}`;
  },
  isMounted: () => / \/home /.test(readFileSync("/proc/self/mountinfo", "utf8")),
  isBlank(device) {
    const descriptor = openSync(device, "r");
    try {
      const start = new Uint8Array(BLANK_BYTES);
      const read = readSync(descriptor, start, 0, start.length, 0);
      return read === start.length && start.every((byte) => byte === 0);
    } finally {
      closeSync(descriptor);
    }
  },
  run(command) {
    mkdirSync("/home", { recursive: true });
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
    const { exitCode } = Bun.spawnSync([...command], { env, timeout: PROGRAM_TIMEOUT_MS });
    return exitCode;
  },
};

function readSerial(name: string): string {
  const path = `/sys/block/${name}/serial`;
  return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
}
