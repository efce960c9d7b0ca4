/** A box with people, desktops and a screen, for tests of faults: set up by its own commands, looked at through its database. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { openScreen, type Screen } from "../../bench/screen.ts";
import { LOG_SEGMENTS } from "../../src/cli/db/cluster.ts";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { homeFolder } from "../../src/domain/node/layout.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createBoundlessOsf } from "./boundless-osf.ts";
import { packDesktop, TYPED_FILE } from "./fault-images.ts";
import { type Person, Visit } from "./nx-visit.ts";
import { WholeBox } from "./whole-box.ts";

export type OpenSession = { readonly id: number; readonly broker_worker: string };
export type EndedSession = { readonly id: number; readonly end_cause: string };

export class FaultLab {
  readonly box: WholeBox;
  readonly screen: Screen;
  /** For image files and the like. */
  readonly scratch: string;
  readonly alice: Person;
  readonly bob: Person;
  #typed = 0;

  static async create(): Promise<FaultLab> {
    const scratch = mkdtempSync("/var/tmp/qvd-fault-lab-");
    const box = await WholeBox.create({
      instance: "faults",
      cidr: "10.218.0.0/16",
      ports: { broker: 27_301, admin: 27_302 },
      startTimeoutSeconds: 6,
      diskMb: 3_000,
    });
    try {
      const packing = packDesktop(`${scratch}/desktop.tar.zst`);
      await box.start();
      await signIn(box);
      await packing;
      await createBoundlessOsf(box, "light", 512);
      await box.qvdOk("image", "add", `${scratch}/desktop.tar.zst`, "--osf", "light", "--tag", "default");
      await waitForRoom(box);
      const people = { alice: await addPerson(box, "alice"), bob: await addPerson(box, "bob") };
      return new FaultLab({ box, scratch, screen: await openScreen(), ...people });
    } catch (error) {
      await box.dispose();
      rmSync(scratch, { recursive: true, force: true });
      throw error;
    }
  }

  private constructor(made: { box: WholeBox; screen: Screen; scratch: string; alice: Person; bob: Person }) {
    this.box = made.box;
    this.screen = made.screen;
    this.scratch = made.scratch;
    this.alice = made.alice;
    this.bob = made.bob;
  }

  visit(person: Person): Promise<Visit> {
    return Visit.open(this.screen, this.box.brokerPort, person);
  }

  /** Types a word of its own over the session and reads it back from the desktop's home. */
  async proveWork(visit: Visit, person: Person): Promise<void> {
    const word = `word${++this.#typed}`;
    const file = `${homeFolder(this.box.layout, asId<VmId>(person.vmId))}/${person.login}/${TYPED_FILE}`;
    await visit.type(word);
    const isThere = () => existsSync(file) && readFileSync(file, "utf8").includes(word);
    // A desktop that has just started stands back behind all else on the machine for some seconds.
    if (!(await waitFor(isThere, { timeoutMs: 60_000 }))) throw new Error(`${word} did not reach ${file}`);
  }

  async openSessions(vmId?: number): Promise<readonly OpenSession[]> {
    const { sql } = this.box.database;
    return await sql<OpenSession[]>`
      select id::int, split_part(broker_worker, '/', 1) as broker_worker from sessions
      where ended_at is null and (${vmId ?? null}::int is null or vm_id = ${vmId ?? null})`;
  }

  async lastSession(vmId: number): Promise<EndedSession | undefined> {
    const { sql } = this.box.database;
    const rows = await sql<EndedSession[]>`
      select id::int, end_cause from sessions where vm_id = ${vmId} order by id desc limit 1`;
    return rows[0];
  }

  /** Sentences of the desktop's trail since `sinceId`, as `qvd vm explain` prints them. */
  async trail(vmId: number, sinceId = 0): Promise<readonly { id: number; code: string; text: string }[]> {
    const { sql } = this.box.database;
    return await sql<{ id: number; code: string; text: string }[]>`
      select id::int, code, text from vm_events where vm_id = ${vmId} and id > ${sinceId} order by id`;
  }

  async lastEventId(vmId: number): Promise<number> {
    return (await this.trail(vmId)).at(-1)?.id ?? 0;
  }

  /** True once the trail has such an event after `sinceId`. */
  async tells(vmId: number, code: string, sinceId: number, timeoutMs = 60_000): Promise<boolean> {
    const isTold = async () => (await this.trail(vmId, sinceId)).some((event) => event.code === code);
    return (await waitFor(isTold, { timeoutMs, everyMs: 50 })) === true;
  }

  async reaches(vmId: number, state: string, timeoutMs = 60_000): Promise<boolean> {
    const { sql } = this.box.database;
    const isThere = async () => {
      const rows = await sql<{ state: string }[]>`select state from vm_reports where vm_id = ${vmId}`;
      // One that never ran was never reported on.
      return (rows[0]?.state ?? "stopped") === state;
    };
    return (await waitFor(isThere, { timeoutMs, everyMs: 50 })) === true;
  }

  /** A measured figure, for whoever sets QVD_TEST_FIGURES. */
  note(what: string, sinceMs: number): void {
    const tookMs = Math.round(performance.now() - sinceMs);
    if (process.env.QVD_TEST_FIGURES) process.stderr.write(`figure: ${what}: ${tookMs} ms\n`);
  }

  async dispose(): Promise<void> {
    await this.screen.close();
    await this.box.dispose();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** The database takes its room soon after its start; whoever measures the disk's comes after that. */
async function waitForRoom({ layout }: WholeBox): Promise<void> {
  const cluster = `${layout.databaseFolder}/cluster`;
  const hasRoom = () => {
    const segments = readdirSync(`${cluster}/pg_wal`).filter((name) => /^[0-9A-F]{24}$/.test(name));
    const [counter = ""] = readdirSync(`${cluster}/pg_xact`);
    const { blocks, size } = statSync(`${cluster}/pg_xact/${counter}`);
    return segments.length >= LOG_SEGMENTS && blocks * 512 > size;
  };
  if (!(await waitFor(hasRoom, { timeoutMs: 120_000, everyMs: 200 })))
    throw new Error("the database was given no room");
}

async function signIn(box: WholeBox): Promise<void> {
  await box.qvdOk("tenant", "create", "default");
  const password = await box.qvdOk("administrator", "create", "admin", "--generate");
  const signedIn = await box.qvd(["admin", "sign-in", "admin"], password);
  if (signedIn.exitCode !== 0) throw new Error(`signing in: ${signedIn.stderr}`);
}

/** A user with a desktop of the flavour `osf`. */
export async function addPerson(box: WholeBox, login: string, osf = "light"): Promise<Person> {
  const password = await box.qvdOk("user", "create", login, "--generate");
  const made = await box.qvdOk("vm", "create", `${login}-desk`, "--user", login, "--osf", osf, "--json");
  return { login, password, vmId: JSON.parse(made).id };
}
