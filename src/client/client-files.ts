/**
 * What the client keeps for its user: pinned certificates and profiles. Files of their owner alone, replaced whole,
 * so that a client that is killed leaves the old or the new one. A password is never in them.
 */

import { chmod, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { AppError } from "../lib/errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

const Pins = z.record(z.string(), z.string());
export const Profile = z.strictObject({
  host: z.string(),
  user: z.string().optional(),
  vm: z.string().optional(),
  geometry: z.string().optional(),
  link: z.string().optional(),
  keyboard: z.string().optional(),
  /** An absolute path. */
  ca: z.string().optional(),
  sound: z.boolean().optional(),
  microphone: z.boolean().optional(),
  print: z.boolean().optional(),
  /** An absolute path. */
  share: z.string().optional(),
  "share-read-only": z.string().optional(),
});
export type Profile = z.infer<typeof Profile>;

const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * `~/.config/qvd`, by the rules of the system: what is no absolute path counts as not said. Pins that depend on the
 * folder one stands in would be other ones in the next.
 */
export function clientFolder({ XDG_CONFIG_HOME, APPDATA, HOME }: Env): string {
  const [said] = [XDG_CONFIG_HOME, APPDATA].filter(isPlace);
  return join(said ?? join(isPlace(HOME) ? HOME : homedir(), ".config"), "qvd");
}

function isPlace(path: string | undefined): path is string {
  return path !== undefined && isAbsolute(path);
}

/** The pinned fingerprint of `place` (HOST:PORT). */
export async function readPin(folder: string, place: string): Promise<string | undefined> {
  return (await readPins(folder))[place];
}

export async function writePin(folder: string, place: string, fingerprint: string): Promise<void> {
  await writeOwn(pinFile(folder), { ...(await readPins(folder)), [place]: fingerprint });
}

export function pinFile(folder: string): string {
  return join(folder, "known-brokers.json");
}

export async function readProfile(folder: string, name: string): Promise<Profile> {
  const profile = await readOwn(profileFile(folder, name), Profile);
  if (profile === undefined)
    throw new AppError(
      "bad-input",
      `there is no profile ${name}; \`qvd connect --save-profile ${name} …\` makes it`,
    );
  return profile;
}

/** Returns the file's path. */
export async function writeProfile(folder: string, name: string, profile: Profile): Promise<string> {
  const path = profileFile(folder, name);
  await writeOwn(path, profile);
  return path;
}

/** By name; none where there never was one. */
export async function listProfiles(
  folder: string,
): Promise<readonly { readonly name: string; readonly profile: Profile }[]> {
  const files = await readdir(join(folder, "profiles")).catch(() => []);
  const names = files
    .flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? [])
    .filter((name) => PROFILE_NAME.test(name));
  return await Promise.all(
    names.sort().map(async (name) => ({ name, profile: await readProfile(folder, name) })),
  );
}

function profileFile(folder: string, name: string): string {
  if (!PROFILE_NAME.test(name))
    throw new AppError(
      "bad-input",
      `${JSON.stringify(name)} is no name of a profile: letters, digits, dots, dashes`,
    );
  return join(folder, "profiles", `${name}.json`);
}

async function readPins(folder: string): Promise<Record<string, string>> {
  return (await readOwn(pinFile(folder), Pins)) ?? {};
}

async function readOwn<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new AppError("bad-input", `reading ${path} failed; check who may read it`, { cause });
  }
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    // Not taken for empty: pins that are lost would be believed anew.
    throw new AppError("bad-input", `${path} can't be understood; correct it, or remove it`, { cause });
  }
}

async function writeOwn(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}
