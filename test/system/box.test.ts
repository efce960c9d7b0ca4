/** `qvd box run` and what is said of it from outside: status, second starts, ends, secrets. No desktops take part. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { getPriority } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { BoxStatus } from "../../src/cli/box/status-file.ts";
import { isProcessRunning } from "../../src/lib/process.ts";
import { CLEAN_ENV, type RunResult, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { listFor, readRights, runAs } from "../support/process-walls.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = "/var/tmp/qvd-boxtest";
const EXECUTABLE = `${FOLDER}/qvd`;
const STATE = `${FOLDER}/state`;
const RUN = "/run/qvd/boxtest";
const STATUS = `${RUN}/box.json`;
const ENV = {
  ...CLEAN_ENV,
  QVD_CONFIG: "/dev/null",
  QVD_INSTANCE: "boxtest",
  QVD_STATE: STATE,
  QVD_NODE_NAME: "boxtest",
  QVD_NETWORK_RANGE: "10.209.0.0/16",
  QVD_BROKER_PORT: "27443",
  QVD_ADMIN_PORT: "27444",
};

const qvd = (...words: readonly string[]): Promise<RunResult> =>
  run([EXECUTABLE, ...words], { env: ENV, timeoutMs: 150_000 });

const readStatus = () => BoxStatus.parse(JSON.parse(readFileSync(STATUS, "utf8")));

async function startBox(): Promise<Bun.Subprocess> {
  const box = Bun.spawn([EXECUTABLE, "box", "run"], {
    env: ENV,
    cwd: "/",
    stdio: ["ignore", "ignore", "ignore"],
  });
  const isReady = () =>
    existsSync(STATUS) && readStatus().state === "ready" && readStatus().box?.pid === box.pid;
  if (!(await waitFor(isReady, { timeoutMs: 120_000, everyMs: 50 })))
    throw new Error("the box did not start");
  return box;
}

/** The last answer. A box whose machine stood still a moment ago says so, and is well soon after. */
async function askUntilWell(...words: readonly string[]): Promise<RunResult> {
  let answer = await qvd("node", "status", ...words);
  const isWell = async () => {
    if (answer.exitCode !== 0) answer = await qvd("node", "status", ...words);
    return answer.exitCode === 0;
  };
  await waitFor(isWell, { timeoutMs: 30_000, everyMs: 200 });
  return answer;
}

/** As the account, with its groups. */
const asAccount = (account: string, ...command: readonly string[]) =>
  run(["setpriv", `--reuid=${account}`, `--regid=${account}`, "--init-groups", ...command]);

const ip = (...words: readonly string[]) => runOk("change a link", ["/usr/sbin/ip", ...words]);

/** Pids of all that runs from the box's executable. */
const listOwnProcesses = async () =>
  (await run(["pgrep", "-f", `^${EXECUTABLE} `])).stdout.split("\n").filter(Boolean);

/** Short, and the same whatever its number is. */
const nameOf = (path: string) =>
  path
    .replace(STATE, "state")
    .replace(RUN, "run")
    // On its way to take the place of the one before it.
    .replace(/\.json\.new$/, ".json")
    .replace(/\/brokers\/\d+\.json$/, "/brokers/N.json");

const listPids = async (words: string) =>
  (await run(["pgrep", "-f", `^${EXECUTABLE} ${words}`])).stdout.split("\n").filter(Boolean).map(Number);

let box: Bun.Subprocess;

beforeAll(async () => {
  await runOk("compile", [process.execPath, "run", "build.ts"], { cwd: ROOT, timeoutMs: 300_000 });
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  chmodSync(FOLDER, 0o755);
  copyFileSync(`${ROOT}/dist/qvd`, EXECUTABLE);
}, 310_000);

afterAll(async () => {
  await qvd("box", "stop");
  rmSync(FOLDER, { recursive: true, force: true });
  rmSync("/run/qvd/boxtest", { recursive: true, force: true });
}, 160_000);

describe("a box", () => {
  test("that never ran is down or can't be judged, and says how to start it", async () => {
    const { exitCode, stdout } = await qvd("node", "status");
    expect(stdout).toContain("qvd box run");
    expect(exitCode).toBe(3);
  });

  test("starts its parts in order, each as its own account", async () => {
    box = await startBox();
    expect(readStatus().processes.map(({ name }) => name)).toEqual(["db", "node", "admin"]);
    const admin = readStatus().processes.find(({ name }) => name === "admin");
    const uid = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${admin?.pid}/status`, "utf8"))?.[1];
    expect(uid).toBe((await runOk("look up", ["id", "-u", "qvd-admin"])).trim());
  }, 150_000);

  test("that runs is well, for a person and for programs", async () => {
    const { exitCode, stdout } = await askUntilWell();
    expect(stdout).toContain("Node boxtest is well.");
    expect(stdout).toMatch(/broker-2 +running/);
    expect(exitCode).toBe(0);
    const json = JSON.parse((await askUntilWell("--json")).stdout);
    expect(json).toMatchObject({
      verdict: "well",
      problems: [],
      node: { state: "running", isLeaseValid: true },
    });
  });

  test("shows a certificate for its names, signed by its own authority", async () => {
    const verified = await run([
      "openssl",
      "verify",
      "-CAfile",
      `${STATE}/ca.crt`,
      `${STATE}/secrets/tls.crt`,
    ]);
    expect(verified.stdout).toContain("OK");
    for (const port of [ENV.QVD_BROKER_PORT, ENV.QVD_ADMIN_PORT]) {
      const asked = await run(
        [
          ...["openssl", "s_client", "-connect", `localhost:${port}`, "-verify_hostname", "localhost"],
          ...["-CAfile", `${STATE}/ca.crt`, "-verify_return_error", "-brief"],
        ],
        { stdin: "" },
      );
      expect(asked.stderr).toContain("Verification: OK");
    }
  });

  test("keeps its secrets from the accounts that have no need of them", async () => {
    // Anybody could read them, if the folders that they are in let anybody through.
    const open = ["bases", "homes"].map((folder) => `${STATE}/${folder}/for-anybody`);
    for (const path of open) writeFileSync(path, "a desktop's", { mode: 0o666 });
    for (const account of ["qvd-db", "qvd-auth", "qvd-broker", "qvd-admin"]) {
      const canDo = async (...command: readonly string[]) =>
        (await asAccount(account, ...command)).exitCode === 0;
      // That the account can run anything at all, and so is refused below.
      expect(await canDo("ls", STATE), account).toBe(true);
      for (const path of [`${STATE}/secrets/ca.key`, ...open]) {
        expect(existsSync(path), path).toBe(true);
        expect(await canDo("cat", path), `${account} reads ${path}`).toBe(false);
        expect(await canDo("ls", dirname(path)), `${account} lists ${dirname(path)}`).toBe(false);
        expect(await canDo("touch", `${dirname(path)}/of-${account}`), `${account} writes there`).toBe(false);
      }
    }
    for (const path of open) rmSync(path);
    expect((await asAccount("qvd-broker", "cat", `${STATE}/secrets/tls.key`)).exitCode).toBe(0);
    expect((await asAccount("qvd-auth", "cat", `${STATE}/secrets/tls.key`)).exitCode).not.toBe(0);
    expect((await asAccount("nobody", "ls", `${STATE}/secrets`)).exitCode).not.toBe(0);
    expect(statSync(`${STATE}/database`).mode & 0o777).toBe(0o700);
  });

  test("lets each account be its own role in the database, and no other", async () => {
    const ask = (account: string, role: string) =>
      asAccount(account, "psql", "-h", "/run/qvd/boxtest/database", "-U", role, "-c", "select 1", "qvd");
    expect((await ask("qvd-broker", "qvd_broker")).exitCode).toBe(0);
    expect((await ask("qvd-broker", "qvd_auth")).exitCode).not.toBe(0);
    expect((await ask("qvd-admin", "qvd_owner")).exitCode).not.toBe(0);
    expect((await ask("nobody", "qvd_broker")).exitCode).not.toBe(0);
  });

  test("has brokers that own nothing: no right of the kernel's, no way to one, and none over the others", async () => {
    const [broker = 0] = await listPids("broker run");
    const rights = readRights(broker);
    const account = (await runOk("look up", ["id", "-u", "qvd-broker"])).trim();
    expect(new Set(rights.uids)).toEqual(new Set([account]));
    expect(rights.gids).not.toContain("0");
    expect(rights.groups).not.toContain("0");
    expect(Object.values(rights.capabilities).every((set) => /^0+$/.test(set))).toBe(true);
    expect(rights.canGain).toBe(false);
    const others = ["node run", "keeper run", "auth run", "admin run", "db run"];
    const refused = async (...command: readonly string[]) =>
      expect((await runAs(rights, command)).exitCode, command.join(" ")).not.toBe(0);
    for (const words of others) {
      const [pid] = await listPids(words);
      expect(pid, words).toBeDefined();
      await refused("kill", "-0", `${pid}`);
      await refused("cat", `/proc/${pid}/environ`);
      await refused("ls", `/proc/${pid}/fd`);
      await refused("head", "-c", "1", `/proc/${pid}/mem`);
    }
    await refused("nft", "list", "tables");
    await refused("ip", "link", "add", "boxtestx", "type", "dummy");
    await refused("cat", `${STATE}/secrets/ca.key`);
  }, 120_000);

  test("has an auth that stands back behind the brokers' pipes", async () => {
    const priorityOf = async (words: string) => getPriority((await listPids(words))[0] ?? 0);
    const isBack = async () => (await priorityOf("auth run")) === (await priorityOf("broker run")) + 10;
    expect(await waitFor(isBack, { timeoutMs: 60_000 })).toBe(true);
  });

  test("has brokers that see next to no file of the box, and write to their doors alone", async () => {
    const rights = readRights((await listPids("broker run"))[0] ?? 0);
    const readable = [STATE, RUN].map((folder) => listFor(rights, folder, ["-type", "f", "-readable"]));
    const files = (await Promise.all(readable)).flat().map(nameOf);
    expect([...new Set(files)]).toEqual([
      ...["state/box-id", "state/ca.crt", "state/settings.pub"],
      ...["run/box.json", "run/brokers/N.json", "run/dnsmasq/own/pid", "run/keeper.json", "run/node.json"],
    ]);
    const writable = [STATE, RUN].map((folder) => listFor(rights, folder, ["!", "-type", "l", "-writable"]));
    const doors = (await Promise.all(writable)).flat().map(nameOf);
    expect([...new Set(doors)]).toEqual([
      ...["run/auth-broker/socket", "run/brokers", "run/brokers/N.json", "run/console/socket"],
      ...["run/database/.s.PGSQL.5432", "run/wake/socket"],
    ]);
    expect((await runAs(rights, ["test", "-w", EXECUTABLE])).exitCode).not.toBe(0);
  }, 120_000);

  test("is one: a second is refused with the first one's process", async () => {
    const { exitCode, stderr } = await qvd("box", "run");
    expect(stderr).toContain(`process ${box.pid} already runs it`);
    expect(exitCode).toBe(1);
  });

  test("says that its node is down when that was killed and can't come back", async () => {
    const node = readStatus().processes.find(({ name }) => name === "node");
    process.kill(box.pid, "SIGSTOP");
    process.kill(node?.pid ?? 0, "SIGKILL");
    const isDown = await waitFor(async () => (await qvd("node", "status")).exitCode === 2, {
      timeoutMs: 30_000,
    });
    process.kill(box.pid, "SIGCONT");
    expect(isDown).toBe(true);
    const isBack = await waitFor(async () => (await qvd("node", "status")).exitCode === 0, {
      timeoutMs: 60_000,
    });
    expect(isBack).toBe(true);
  }, 120_000);

  test("that was killed is stopped all the same, with all its parts", async () => {
    const parts = readStatus().processes;
    box.kill("SIGKILL");
    await box.exited;
    expect(parts.every(isProcessRunning)).toBe(true);
    expect((await qvd("box", "stop")).exitCode).toBe(0);
    expect(parts.some(isProcessRunning)).toBe(false);
    expect((await runOk("list links", ["ip", "-o", "link"])).includes("boxtest")).toBe(false);
    expect((await runOk("list tables", ["nft", "list", "tables"])).includes("boxtest")).toBe(false);
  }, 150_000);

  test("that was stopped is down", async () => {
    const { exitCode, stdout } = await qvd("node", "status");
    expect(stdout).toContain("is down");
    expect(exitCode).toBe(2);
  });

  test("with a range that is another's says so and ends, leaving no worker", async () => {
    await ip("link", "add", "boxother", "type", "bridge");
    await ip("addr", "add", "10.209.7.1/24", "dev", "boxother");
    const { exitCode, stderr } = await qvd("box", "run").finally(() => ip("link", "del", "boxother"));
    expect(stderr).toContain("interface boxother has 10.209.7.1/24");
    expect(exitCode).toBe(1);
    // The last to leave may be on its way out.
    await waitFor(async () => (await listOwnProcesses()).length === 0, { timeoutMs: 60_000 });
    expect(await listOwnProcesses()).toEqual([]);
    box = await startBox();
  }, 180_000);

  test("all of whose parts were killed is stopped too: no worker goes on", async () => {
    const parts = readStatus().processes;
    for (const pid of [box.pid, ...parts.map((part) => part.pid)]) process.kill(pid, "SIGKILL");
    await box.exited;
    expect(await waitFor(() => !parts.some(isProcessRunning), { timeoutMs: 60_000 })).toBe(true);
    const { exitCode, stderr } = await qvd("box", "stop");
    expect(stderr).toContain("ended keeper, auth, broker-1, broker-2");
    expect(exitCode).toBe(0);
    expect(await waitFor(async () => (await listOwnProcesses()).length === 0, { timeoutMs: 60_000 })).toBe(
      true,
    );
    expect((await qvd("box", "stop")).stderr).toContain("does not run");
  }, 120_000);

  test("with a port that is taken says so and ends, leaving nothing", async () => {
    const server = Bun.listen({ hostname: "0.0.0.0", port: 27_444, socket: { data: () => {} } });
    const { exitCode, stderr } = await qvd("box", "run");
    server.stop(true);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("set QVD_ADMIN_PORT");
    expect(readStatus().state).toBe("failed");
    expect(readStatus().processes).toEqual([]);
    expect(await runOk("list links", ["ip", "-o", "link"])).not.toContain("boxtest");
  }, 120_000);
});
