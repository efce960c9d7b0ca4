/**
 * Reads the settings that start a process: the environment over the file over the defaults. All faults are
 * reported together, so that nobody mends them one start at a time.
 */

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { AppError } from "../lib/errors.ts";
import { parseSetting, type SettingValue } from "./parse-setting.ts";
import { SETTINGS, type SettingKey, type SettingSpec } from "./settings.ts";

export type Env = Readonly<Record<string, string | undefined>>;

type ValueOf<Spec extends SettingSpec> = Spec["type"] extends "number" | "size"
  ? number
  : Spec["type"] extends "flag"
    ? boolean
    : string;

/** The settings' values; empty ones whose default depends on others are filled in. */
export type Config = { readonly [Key in SettingKey]: ValueOf<(typeof SETTINGS)[Key]> };

export type SettingSource = "environment" | "file" | "default";

export type LoadedConfig = {
  readonly config: Config;
  readonly sources: Readonly<Record<SettingKey, SettingSource>>;
};

export type LoadDeps = {
  readonly env: Env;
  /** Undefined when there is no such file. */
  readonly readText?: (path: string) => string | undefined;
  readonly hostName?: string;
};

const DEFAULT_FILE = "/etc/qvd/qvd.conf";
const KEYS = Object.keys(SETTINGS).filter((key): key is SettingKey => key in SETTINGS);

/** Throws one `bad-input` AppError that names every fault. */
export function loadConfig(deps: LoadDeps): LoadedConfig {
  const { env, readText = readIfThere, hostName = hostname() } = deps;
  const faults: string[] = [];
  const file = readFile(env, readText, faults);
  const values: Partial<Record<SettingKey, SettingValue>> = {};
  const sources: Partial<Record<SettingKey, SettingSource>> = {};
  for (const key of KEYS) {
    const spec: SettingSpec = SETTINGS[key];
    const given = env[spec.name] ?? file.get(spec.name);
    const parsed = parseSetting(spec, given ?? spec.fallback);
    if (parsed.ok) values[key] = parsed.value;
    else faults.push(parsed.fault);
    sources[key] = env[spec.name] !== undefined ? "environment" : given !== undefined ? "file" : "default";
  }
  if (faults.length === 0) faults.push(...judge(complete(values, hostName)));
  if (faults.length > 0) throw new AppError("bad-input", `the settings can't be used: ${faults.join("; ")}`);
  return { config: complete(values, hostName), sources: allSources(sources) };
}

/** Every key is there: the loop above went over all of them, and none had a fault. */
function complete(values: Partial<Record<SettingKey, SettingValue>>, hostName: string): Config {
  const config = values as Config;
  return {
    ...config,
    nodeName: config.nodeName || hostName,
    runFolder: config.runFolder || `/run/qvd/${config.instance}`,
  };
}

/** See `complete`. */
function allSources(sources: Partial<Record<SettingKey, SettingSource>>): Record<SettingKey, SettingSource> {
  return sources as Record<SettingKey, SettingSource>;
}

/** What a type alone can't say. */
function judge(config: Config): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  check(
    /^[a-z0-9]{1,8}$/.test(config.instance),
    `QVD_INSTANCE must be 1 to 8 of a-z and 0-9, and ${JSON.stringify(config.instance)} is not`,
  );
  for (const key of ["brokerPort", "adminPort"] as const)
    check(
      config[key] >= 1 && config[key] <= 65_535,
      `${SETTINGS[key].name} must be a port from 1 to 65535, and ${config[key]} is not`,
    );
  check(config.brokerPort !== config.adminPort, "QVD_BROKER_PORT and QVD_ADMIN_PORT must differ");
  check(
    config.brokerWorkers >= 1 && config.brokerWorkers <= 64,
    `QVD_BROKER_WORKERS must be from 1 to 64, and ${config.brokerWorkers} is not`,
  );
  check(
    (config.brokerCertificate === "") === (config.brokerKey === ""),
    "QVD_BROKER_CERTIFICATE and QVD_BROKER_KEY go together: set both or neither",
  );
  check(
    config.brokerClientCertificates === "no" || config.brokerClientCa !== "",
    "QVD_BROKER_CLIENT_CERTIFICATES needs QVD_BROKER_CLIENT_CA, the authorities whose certificates are good",
  );
  check(config.brokerPerAddress >= 0, "QVD_BROKER_PER_ADDRESS must be at least 0");
  check(config.brokerLeaveSeconds >= 0, "QVD_BROKER_LEAVE must be at least 0");
  check(config.brokerDrainMinutes >= 1, "QVD_BROKER_DRAIN must be at least 1");
  check(config.parallelStarts >= 1, "QVD_PARALLEL_STARTS must be at least 1");
  check(config.parallelStops >= 1, "QVD_PARALLEL_STOPS must be at least 1");
  check(config.memoryOvercommit >= 0, "QVD_MEMORY_OVERCOMMIT must be at least 0");
  check(config.startTimeoutSeconds >= 1, "QVD_START_TIMEOUT must be at least 1");
  return faults;
}

function readFile(env: Env, readText: (path: string) => string | undefined, faults: string[]) {
  const path = env.QVD_CONFIG ?? DEFAULT_FILE;
  const text = readText(path);
  const found = new Map<string, string>();
  if (text === undefined) {
    if (env.QVD_CONFIG !== undefined) faults.push(`QVD_CONFIG names ${path}, and there is no such file`);
    return found;
  }
  const known = new Set<string>(KEYS.map((key) => SETTINGS[key].name));
  for (const [index, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, name = "", value = ""] = /^([A-Z0-9_]+)\s*=\s*(.*)$/.exec(trimmed) ?? [];
    if (known.has(name)) found.set(name, value.replace(/^"(.*)"$/, "$1"));
    else faults.push(`${path} line ${index + 1} is not NAME=value with the name of a setting`);
  }
  return found;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new AppError("bad-input", `read the settings in ${path}: it can't be read`, { cause: error });
  }
}
