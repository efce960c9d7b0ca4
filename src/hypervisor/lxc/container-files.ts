/** The files by which a container is started: those of its own live from its start to its clean-up. */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { VmId } from "../../domain/ids.ts";
import { type Layout, vmLayout } from "../../domain/node/layout.ts";
import guestInit from "./guest-init.sh" with { type: "text" };
import type { SystemdFile } from "./systemd-files.ts";

export type ContainerFiles = {
  readonly config: string;
  /** Bound into the desktop as its first program; the same for all. */
  readonly init: string;
  /** Folder of what systemd is given, where the image brings it. */
  readonly systemd: string;
  /** What LXC says; kept until the next start, for people. */
  readonly log: string;
};

export function containerFiles(layout: Layout, vmId: VmId): ContainerFiles {
  const { folder } = vmLayout(layout, vmId);
  return {
    config: `${folder}/lxc.conf`,
    init: layout.desktopInit,
    systemd: `${folder}/systemd`,
    log: `${layout.logsFolder}/vm-${vmId}-lxc.log`,
  };
}

/** At once: a few small files on the box's own disk take a tenth of what handing each to a thread does, and a person waits. */
export function writeFiles(files: ContainerFiles, config: string, systemd: readonly SystemdFile[]): void {
  writeFileSync(files.config, config, { mode: 0o600 });
  ensureInit(files.init);
  if (systemd.length > 0) mkdirSync(files.systemd, { recursive: true, mode: 0o755 });
  for (const { name, text } of systemd) writeFileSync(`${files.systemd}/${name}`, text, { mode: 0o644 });
  mkdirSync(files.log.slice(0, files.log.lastIndexOf("/")), { recursive: true });
  // LXC appends: without this, an earlier start's words would explain this one.
  writeFileSync(files.log, "", { mode: 0o600 });
}

/** Never writable in a desktop: the bind is read-only, and the file is of nobody's range. Desktops that run keep theirs when it is replaced. */
function ensureInit(path: string): void {
  if (readOrNothing(path) === guestInit) return;
  writeFileSync(`${path}.new`, guestInit, { mode: 0o755 });
  renameSync(`${path}.new`, path);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The first start on this box.
    return undefined;
  }
}

export async function removeFiles(layout: Layout, vmId: VmId): Promise<void> {
  const { config, systemd } = containerFiles(layout, vmId);
  await rm(config, { force: true });
  // Of a release that gave each its own.
  await rm(`${vmLayout(layout, vmId).folder}/init`, { force: true });
  await rm(systemd, { recursive: true, force: true });
}
