/**
 * A box of the benchmark's own: dist/qvd with an instance, a state folder, ports and a network of its own, the
 * demo's desktop image, and as many people as asked for, each with a desktop. Started as the demo starts its
 * own, made through the service's verbs, removed at the end.
 */

import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../script/lib/check/qvd-connection.ts";
import { hashPassword } from "../src/auth/password.ts";
import { readBoxStatus } from "../src/cli/box/status-file.ts";
import { type Database, openDatabase } from "../src/db/client.ts";
import { DATABASE_NAME } from "../src/db/url.ts";
import { asId, type DiId, type TenantId, type VmId } from "../src/domain/ids.ts";
import { parseNetworkRange } from "../src/domain/node/network-range.ts";
import { removeInstance } from "../src/hypervisor/lxc/remove-instance.ts";
import { silentLog } from "../src/lib/log.ts";
import { CLEAN_ENV, run, runOk } from "../src/lib/run.ts";
import { waitFor } from "../src/lib/wait.ts";
import { createNetwork } from "../src/network/network.ts";
import type { Context } from "../src/service/context.ts";
import { enrolImage } from "../src/service/image/enrol.ts";
import { moveTag } from "../src/service/image/move-tag.ts";
import { createOsf } from "../src/service/osf/create.ts";
import { createTenant } from "../src/service/tenant/create.ts";
import { createUser } from "../src/service/user/create.ts";
import { createVm } from "../src/service/vm/create.ts";
import { connectWake } from "../src/wire/wake/client.ts";
import type { BenchIo } from "./bench.ts";
import { type BenchPlace, placeOf } from "./box-place.ts";
import type { HandPlace } from "./by-hand.ts";
import { makeOwnDisk, removeOwnDisk } from "./own-disk.ts";
import { listProcesses } from "./processes.ts";
import { waitForImage } from "./rounds.ts";
import { type Colour, parseColour } from "./screen.ts";

export type Person = { readonly login: string; readonly password: string; readonly vmId: VmId };

export type BoxProcess = {
  readonly pid: number;
  readonly kind: "node" | "broker" | "auth" | "admin" | "database";
};

export type BenchBox = {
  readonly instance: string;
  readonly people: readonly Person[];
  /** Those of the second image. */
  readonly secondPeople: readonly Person[];
  /** Background of the desktops. */
  readonly colour: Colour;
  readonly hand: HandPlace;
  /** As owner of the schema. */
  readonly database: Database;
  /** The person as a client shows them to the broker. */
  whoIs(person: Person): { readonly target: Target; readonly vmId: VmId };
  /** For a desktop, or for any. */
  wake(vmId?: VmId): void;
  /** Resolves at the node's next word of a desktop, or after `timeoutMs`: what a broker waits by. */
  nextWord(timeoutMs: number): Promise<void>;
  listProcesses(): readonly BoxProcess[];
  close(): Promise<void>;
};

export type BoxOptions = {
  /** At most 8 of a-z0-9; no other box of this machine may have it. */
  readonly instance: string;
  readonly people: number;
  /** On a disk of its own, with all that belongs to it. */
  readonly hasOwnDisk?: boolean;
  /** Settings of its own, by their names in the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of each desktop; the demo's when left out. */
  readonly size?: { readonly memoryMb: number; readonly cpus: number };
  /** More people with an image of their own, made from the demo's; `makeArchive` returns a path in `folder`. */
  readonly second?: {
    readonly people: number;
    readonly makeArchive: (archive: string, folder: string) => Promise<string>;
  };
};

const ROOT = join(import.meta.dir, "..");
const COLOUR = "#24476b";
const ID_FIRST = 1_000_000;
const SIZE = { memoryMb: 1024, cpus: 2 };
const READY_MS = 120_000;

export async function openBenchBox(io: BenchIo, options: BoxOptions): Promise<BenchBox> {
  const place = placeOf(options.instance);
  io.say(`${options.instance}: preparing a box below ${place.folder}`);
  await removePlace(place);
  if (options.hasOwnDisk === true) await makeOwnDisk(place.folder);
  const archive = (
    await runOk("building the image", [`${ROOT}/script/build-image`], { timeoutMs: 900_000 })
  ).trim();
  const child = startBox(place, options.env);
  const database = openDatabase(
    { kind: "socket", folder: place.layout.databaseSocketFolder, role: "qvd_owner", database: DATABASE_NAME },
    { max: 2 },
  );
  const waiting = new Set<() => void>();
  const onWake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  const nextWord = async (timeoutMs: number) => {
    const word = Promise.withResolvers<void>();
    waiting.add(word.resolve);
    const timer = setTimeout(word.resolve, timeoutMs);
    await word.promise;
    clearTimeout(timer);
    waiting.delete(word.resolve);
  };
  const waker = connectWake({ path: place.layout.wakeSocket, onWake, log: silentLog() });
  const close = async () => {
    waker.close();
    await database.close();
    child.kill("SIGINT");
    await waitFor(() => child.exitCode !== null, { timeoutMs: 60_000 });
    await removePlace(place);
  };
  try {
    await waitUntilReady(place, child);
    const site = await seed(io, { place, database, archive, options });
    return {
      ...describeBox(place, site),
      database,
      wake: (vmId?: VmId) => waker.wake("vm", vmId),
      nextWord,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startBox(place: BenchPlace, env: BoxOptions["env"] = {}): Bun.Subprocess {
  mkdirSync(`${place.layout.stateFolder}/bin`, { recursive: true });
  chmodSync(place.folder, 0o755);
  chmodSync(place.layout.stateFolder, 0o755);
  copyFileSync(join(ROOT, "dist/qvd"), place.executable);
  chmodSync(place.executable, 0o755);
  const log = openSync(`${place.folder}/box.log`, "a");
  return Bun.spawn([place.executable, "box", "run"], {
    env: {
      ...CLEAN_ENV,
      QVD_INSTANCE: place.instance,
      QVD_NODE_NAME: place.instance,
      QVD_STATE: place.layout.stateFolder,
      QVD_RUN: place.layout.runFolder,
      QVD_NETWORK_RANGE: place.cidr,
      QVD_BROKER_ADDRESS: "127.0.0.1",
      QVD_BROKER_PORT: String(place.brokerPort),
      QVD_ADMIN_ADDRESS: "127.0.0.1",
      QVD_ADMIN_PORT: String(place.adminPort),
      QVD_ID_FIRST: String(ID_FIRST),
      QVD_CONFIG: "/dev/null",
      ...env,
    },
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
}

async function waitUntilReady(place: BenchPlace, child: Bun.Subprocess): Promise<void> {
  const isReady = () => {
    if (child.exitCode !== null) throw new Error(`qvd box run ended: ${lastWords(place)}`);
    const status = readBoxStatus(place.layout);
    return status?.state === "ready" && status.box?.pid === child.pid;
  };
  if (!(await waitFor(isReady, { timeoutMs: READY_MS, everyMs: 100 })))
    throw new Error(`the box did not get ready in 2 minutes: ${lastWords(place)}`);
}

function lastWords(place: BenchPlace): string {
  return readFileSync(`${place.folder}/box.log`, "utf8").split("\n").slice(-6).join("\n");
}

type Site = {
  readonly people: readonly Person[];
  readonly secondPeople: readonly Person[];
  readonly diId: DiId;
};

async function seed(
  io: BenchIo,
  what: {
    readonly place: BenchPlace;
    readonly database: Database;
    readonly archive: string;
    readonly options: BoxOptions;
  },
): Promise<Site> {
  const { place, database, archive, options } = what;
  const context = { db: database.orm, actor: { kind: "system", what: "bench" } } as const;
  const { tenantId } = await createTenant(context, { name: "default" });
  const first = { ...what, tenantId, archive, osf: "desktop", people: options.people };
  const { people, diId } = await seedOsf(io, context, first);
  const { second } = options;
  if (second === undefined) return { people, secondPeople: [], diId };
  const made = await second.makeArchive(archive, place.folder);
  const other = { ...what, tenantId, archive: made, osf: "second", people: second.people };
  return { people, secondPeople: (await seedOsf(io, context, other)).people, diId };
}

/** One OSF with its image, and people with a desktop of it each. */
async function seedOsf(
  io: BenchIo,
  context: Context,
  what: {
    readonly place: BenchPlace;
    readonly database: Database;
    readonly options: BoxOptions;
    readonly tenantId: TenantId;
    readonly archive: string;
    readonly osf: string;
    readonly people: number;
  },
): Promise<{ readonly people: readonly Person[]; readonly diId: DiId }> {
  const { place, database, archive, osf, tenantId } = what;
  const deps = { hashPassword, networkRange: place.cidr };
  const { osfId } = await createOsf(context, { tenantId, name: osf, ...SIZE, ...what.options.size });
  mkdirSync(place.layout.incomingFolder, { recursive: true });
  const fileName = `${osf}${archive.slice(archive.lastIndexOf(".tar"))}`;
  copyFileSync(archive, `${place.layout.incomingFolder}/${fileName}`);
  const { diId } = await enrolImage(context, { osfId, fileName, version: "1" });
  io.say("the image is being verified");
  await waitForImage(database, diId);
  await moveTag(context, { diId, tag: "default" });
  const people: Person[] = [];
  for (let number = 1; number <= what.people; number++) {
    const login = `${osf === "desktop" ? "person" : osf}${number}`;
    const password = randomBytes(12).toString("base64url");
    const { userId } = await createUser(context, deps, { tenantId, login, password });
    const { vmId } = await createVm(context, deps, { userId, osfId, name: login });
    people.push({ login, password, vmId });
  }
  return { people, diId };
}

function describeBox(
  place: BenchPlace,
  site: Site,
): Omit<BenchBox, "close" | "database" | "wake" | "nextWord"> {
  const range = parseNetworkRange(place.cidr);
  return {
    instance: place.instance,
    whoIs: ({ login, password, vmId }) => {
      const { caCertificate } = place.layout;
      return { target: { port: place.brokerPort, caCertificate, login, password }, vmId };
    },
    people: site.people,
    secondPeople: site.secondPeople,
    colour: parseColour(COLOUR),
    listProcesses: () => findProcesses(place),
    hand: {
      layout: place.layout,
      instance: place.instance,
      diId: asId<DiId>(site.diId),
      idRangeFirst: ID_FIRST,
      range,
      // Far above what the few desktops of a benchmark get.
      address: range.gateway.replace(/\.0\.1$/, ".99.1"),
      ...SIZE,
    },
  };
}

/** Our processes by the executable that they run; the database by the cluster that it serves. */
function findProcesses(place: BenchPlace): BoxProcess[] {
  const own = listProcesses();
  const postgres = own.find(({ command }) =>
    command.some((word) => word.startsWith(`${place.layout.databaseFolder}/`)),
  )?.pid;
  return own.flatMap(({ pid, parentPid, command }): BoxProcess[] => {
    if (pid === postgres || (postgres !== undefined && parentPid === postgres))
      return [{ pid, kind: "database" }];
    const [program, kind, verb] = command;
    if (program !== place.executable || verb !== "run") return [];
    return kind === "node" || kind === "broker" || kind === "auth" || kind === "admin" ? [{ pid, kind }] : [];
  });
}

/** A box leaves its bridge and its empty groups for its next start; ours has none. */
async function removePlace(place: BenchPlace): Promise<void> {
  const range = parseNetworkRange(place.cidr);
  await createNetwork({ instance: place.instance, range, resolvers: [], log: silentLog() }).remove();
  await removeInstance(place.instance);
  await removeOwnDisk(place.folder);
  await run(["rm", "-rf", "--one-file-system", "--", place.folder], { timeoutMs: 120_000 });
}
