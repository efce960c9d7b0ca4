/**
 * What the demo's site has in it: a tenant, an administrator, two people with a desktop each, and an image.
 * Each step looks first, so that an interrupted run is continued and a second one changes nothing.
 */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { type Credentials, ensureCredentials, writeCredentials } from "./credentials.ts";
import { type Place, ROOT } from "./place.ts";
import { qvd, type SignedIn, tryQvd } from "./qvd.ts";
import { say } from "./say.ts";

const OSF = "light";
const UNPACK_MS = 120_000;
const FULL_NAMES: Readonly<Record<string, string>> = { anna: "Anna Bergström", ben: "Ben Okafor" };

/** The demo's disk is its own. */
const NO_LIMITS = ["--home-limit", "none", "--system-limit", "none"];

/** Progress goes to the caller's stderr; the path comes back. */
export async function buildImage(): Promise<string> {
  const child = Bun.spawn([`${ROOT}/script/build-image`, OSF], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env },
  });
  const path = (await new Response(child.stdout).text()).trim();
  if ((await child.exited) !== 0) throw new Error("the desktop image could not be built");
  return path;
}

export async function ensureSite(place: Place, image: string): Promise<Credentials> {
  const { credentials, isNew } = ensureCredentials(place);
  const { administrator } = credentials;
  await ensureAdministrator(place, administrator, isNew);
  await ensureImage(place, administrator, image);
  const user = await ensurePerson(place, credentials, { account: credentials.user, isNew });
  const other = await ensurePerson(place, credentials, { account: credentials.other, isNew });
  const complete = { ...credentials, vm: user, otherVm: other };
  writeCredentials(place, complete);
  return complete;
}

async function ensureAdministrator(place: Place, admin: SignedIn, isNew: boolean): Promise<void> {
  if (!isNew && (await tryQvd(place, ["user", "list", "--json"], { as: admin })).exitCode === 0) return;
  say("creating tenant and administrator");
  // Either may be there already: the first when an earlier run was cut off, the second when its file was lost.
  await tryQvd(place, ["tenant", "create", "default"]);
  const stdin = `${admin.password}\n`;
  const created = await tryQvd(place, ["administrator", "create", admin.login], { stdin });
  if (created.exitCode !== 0) await qvd(place, ["administrator", "set-password", admin.login], { stdin });
}

async function ensureImage(place: Place, as: SignedIn, archive: string): Promise<void> {
  const version = /-([0-9a-f]{16})\.tar/.exec(basename(archive))?.[1] ?? "1";
  const images = await list<{ osf: string; version: string; tags: string[] }>(place, as, "image");
  if (
    images.some((image) => image.osf === OSF && image.version === version && image.tags.includes("default"))
  )
    return;
  const osfs = await list<{ name: string }>(place, as, "osf");
  if (!osfs.some((osf) => osf.name === OSF))
    await qvd(place, [...["osf", "create", OSF, "--memory", "1536", "--cpus", "2"], ...NO_LIMITS], { as });
  say("enrolling the desktop image and waiting until the node has verified it");
  const known = images.find((image) => image.osf === OSF && image.version === version);
  const words =
    known === undefined
      ? ["image", "add", archive, "--osf", OSF, "--version", version, "--tag", "default"]
      : ["image", "tag", `${OSF}:${version}`, "default"];
  await qvd(place, words, { as, timeoutMs: 300_000 });
  await awaitUnpacked(place, as, version);
}

/** The node unpacks a new image in advance; who connects before that only waits longer. */
async function awaitUnpacked(place: Place, as: SignedIn, version: string): Promise<void> {
  say("waiting until the node has unpacked it");
  const images = await list<{ id: number; version: string }>(place, as, "image");
  const id = images.find((image) => image.version === version)?.id;
  await waitFor(() => existsSync(`${place.state}/bases/${id}`), { timeoutMs: UNPACK_MS, everyMs: 200 });
}

/** Returns the id of the person's desktop. */
async function ensurePerson(
  place: Place,
  { administrator: as }: Credentials,
  { account, isNew }: { readonly account: SignedIn; readonly isNew: boolean },
): Promise<number> {
  const { login, password } = account;
  const users = await list<{ login: string }>(place, as, "user");
  const isThere = users.some((user) => user.login === login);
  const stdin = `${password}\n`;
  if (!isThere) {
    say(`creating ${login} with a desktop`);
    await qvd(place, ["user", "create", login, "--name", FULL_NAMES[login] ?? login], { as, stdin });
  } else if (isNew) await qvd(place, ["user", "set-password", login], { as, stdin });
  const name = `${login}-desktop`;
  const find = async () =>
    (await list<{ id: number; name: string }>(place, as, "vm")).find((vm) => vm.name === name)?.id;
  const found = await find();
  if (found !== undefined) return found;
  await qvd(place, ["vm", "create", name, "--user", login, "--osf", OSF], { as });
  const made = await find();
  if (made === undefined) throw new Error(`the desktop ${name} was created and is not in the list`);
  return made;
}

/** What our own command prints as JSON has the shape that its API states. */
async function list<Item>(place: Place, as: SignedIn, noun: string): Promise<Item[]> {
  return JSON.parse(await qvd(place, [noun, "list", "--json"], { as }));
}

export async function buildExecutable(): Promise<void> {
  await runOk("compile dist/qvd", [process.execPath, "run", "build.ts"], {
    cwd: ROOT,
    timeoutMs: 180_000,
    env: { HOME: process.env.HOME ?? "/root" },
  });
}
