/**
 * What dnsmasq tells each desktop that is plugged in: a file with its address and one with its name, in folders that
 * dnsmasq reads. It sees a new file at once by itself; of one that went or changed it must be told.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { DnsmasqFiles } from "./dnsmasq-command.ts";

export type DhcpHost = {
  readonly interfaceName: string;
  readonly mac: string;
  readonly address: string;
  /** What the desktop is to call itself; none where it isn't known. */
  readonly hostName: string | undefined;
};

const TELL_AFTER_MS = 1_000;

export class DhcpHosts {
  readonly #files: DnsmasqFiles;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(files: DnsmasqFiles) {
    this.#files = files;
  }

  /** Takes away all that `plugged` doesn't name; those keep the names that they have. */
  async keepOnly(plugged: readonly Omit<DhcpHost, "hostName">[]): Promise<void> {
    for (const folder of [this.#files.hostsFolder, this.#files.optionsFolder])
      await mkdir(folder, { recursive: true });
    const wanted = new Set(plugged.map(({ interfaceName }) => interfaceName));
    for (const name of await readdir(this.#files.hostsFolder)) if (!wanted.has(name)) await this.remove(name);
    const there = new Set(await readdir(this.#files.hostsFolder));
    for (const host of plugged)
      if (!there.has(host.interfaceName)) await this.put({ ...host, hostName: undefined });
  }

  async put(host: DhcpHost): Promise<void> {
    const { interfaceName } = host;
    // The name first: whoever is known by the other asks for it.
    this.#write(`${this.#files.optionsFolder}/${interfaceName}`, renderDhcpName(host));
    this.#write(`${this.#files.hostsFolder}/${interfaceName}`, renderDhcpHost(host));
  }

  /** At once: a line on the box's own disk, while a person waits. */
  #write(path: string, line: string): void {
    const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    if (before === line) return;
    // A file under another name within the folder would be read as well, and clash.
    const draft = `${this.#files.folder}/.${basename(path)}`;
    writeFileSync(draft, line, { mode: 0o644 });
    renameSync(draft, path);
    if (before !== undefined) this.#tellSoon();
  }

  async remove(interfaceName: string): Promise<void> {
    for (const folder of [this.#files.hostsFolder, this.#files.optionsFolder])
      await rm(`${folder}/${interfaceName}`, { force: true });
    this.#tellSoon();
  }

  /** Once for many changes: each time it reads all of them again. */
  #tellSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#tell();
    }, TELL_AFTER_MS);
    // What it has not been told of goes by a hardware address that nobody may use: no reason to stay for it.
    this.#timer.unref();
  }

  async #tell(): Promise<void> {
    const pid = Number(await readFile(this.#files.pidFile, "utf8").catch(() => "0"));
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    // The number may be another's by now.
    if (name.trim() !== "dnsmasq") return;
    try {
      process.kill(pid, "SIGHUP");
    } catch {
      // It ended in the meantime; the next one reads all files.
    }
  }
}

/** The tag is by what the name's line goes. */
export function renderDhcpHost({ interfaceName, mac, address }: DhcpHost): string {
  return `${mac},set:${interfaceName},${address}\n`;
}

/** Nothing where it isn't known. By its number: dnsmasq takes that option for its own affair when it is named. */
export function renderDhcpName({ interfaceName, hostName }: DhcpHost): string {
  return hostName === undefined ? "" : `tag:${interfaceName},12,${hostName}\n`;
}
