/** How one mode of ours starts another: the same executable, all settings as we have them, no secret that isn't its own. */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { Config } from "../config/load-config.ts";
import { SETTINGS, type SettingKey } from "../config/settings.ts";
import { readVersion } from "../version.ts";

/** Compiled, the executable is the program; from the sources it is Bun with the program as its argument. */
export function ourselves(): readonly string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
}

/** For an unprivileged mode: an outside database's address comes without the owner's password. */
export function childEnv(config: Config): Record<string, string> {
  return { ...rootChildEnv(config), [SETTINGS.databaseUrl.name]: withoutCredentials(config.databaseUrl) };
}

/** For a mode that is root like us. */
export function rootChildEnv(config: Config): Record<string, string> {
  // The file has been read; what it said stands in the values.
  const env: Record<string, string> = { QVD_CONFIG: "/dev/null" };
  for (const [key, spec] of Object.entries(SETTINGS)) env[spec.name] = String(config[asSettingKey(key)]);
  return env;
}

/**
 * Differs between two executables, versions or settings: what was started with another one is to be replaced. The
 * executable is told by its file, since a newer one takes the place of the one that runs.
 */
export function fingerprintOf(env: Readonly<Record<string, string>>): string {
  const { ino, size, mtimeMs } = statSync(process.execPath);
  const told = [readVersion(), ...ourselves(), ino, size, mtimeMs, JSON.stringify(env)];
  return createHash("sha256").update(told.join("\n")).digest("hex").slice(0, 16);
}

/** The keys of the settings table are the keys of the settings. */
function asSettingKey(key: string): SettingKey {
  return key as SettingKey;
}

function withoutCredentials(databaseUrl: string): string {
  if (databaseUrl === "") return "";
  const url = new URL(databaseUrl);
  url.username = "";
  url.password = "";
  return url.href;
}
