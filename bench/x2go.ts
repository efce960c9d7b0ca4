/**
 * X2Go of Debian's packages as a peer: one Debian with the demo's desktop in it, shared by as many people as
 * asked for. Sessions are started by X2Go's own programs and shown by Debian's nxproxy, as its clients do; ssh
 * in between is left out, since it belongs to neither side's desktop.
 */

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { SESSION_SCRIPT } from "../src/guest/session/scripts.ts";
import { CLEAN_ENV, run, runOk } from "../src/lib/run.ts";
import { waitFor } from "../src/lib/wait.ts";
import { enterGroup, makeMemoryGroup } from "./kernel-memory.ts";
import { listProcesses } from "./processes.ts";
import type { Screen } from "./screen.ts";

export type X2goOptions = {
  /** The Debian lies here; removed at the end. */
  readonly folder: string;
  /** Archive of the desktop's image, .tar.zst. */
  readonly archive: string;
  readonly people: number;
};

export type X2go = {
  /** Starts the session of person `number`, from 1 on, and shows it on `screen`. */
  signIn(number: number, screen: Screen): Promise<void>;
  /** Every process of the Debian. */
  listPids(): readonly number[];
  /** The control group that has them all. */
  readonly group: string;
  close(): Promise<void>;
};

const GROUP = "qvd-benchx2go";
const PACKAGES = ["x2goserver", "libswitch-perl"];
const LONG_MS = 600_000;
const SESSION_MS = 60_000;

export async function openX2go(options: X2goOptions): Promise<X2go> {
  const { folder } = options;
  await removeRoot(folder);
  await buildRoot(options);
  const group = makeMemoryGroup(GROUP);
  const init = Bun.spawn(
    [
      ...enterGroup(group.folder),
      "unshare",
      "--net",
      "--pid",
      "--fork",
      "--mount",
      "--uts",
      "--kill-child",
      "chroot",
      folder,
      "/bench-init",
    ],
    { env: { ...CLEAN_ENV }, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  const inside = await waitFor(() => findInit(init.pid), { timeoutMs: 10_000 });
  if (inside === undefined) throw new Error("the Debian of X2Go did not start");
  const clients: Bun.Subprocess[] = [];
  // Its own root, not the path: set-gid programs of another mount namespace would not be honoured.
  const enter = [
    ...enterGroup(group.folder),
    "nsenter",
    `--target=${inside}`,
    "--net",
    "--pid",
    "--mount",
    "--uts",
    "--root",
    "--wd",
  ];
  return {
    async signIn(number, screen) {
      const who = `p${number}`;
      const said = await runOk(
        `the X2Go session of ${who}`,
        [...enter, "su", "-", who, "-c", "/bench-session"],
        {
          timeoutMs: SESSION_MS,
        },
      );
      clients.push(await showSession({ inside, who, said: said.split("\n"), folder, enter }, screen));
    },
    group: group.folder,
    listPids: () => {
      const own = readlinkSync(`/proc/${inside}/ns/pid`);
      return listProcesses().flatMap(({ pid }) => (pidNamespace(pid) === own ? [pid] : []));
    },
    async close() {
      for (const client of clients) client.kill("SIGKILL");
      await run(["kill", "-KILL", String(inside)]);
      await init.exited;
      if (!(await waitFor(group.remove, { timeoutMs: 10_000 })))
        throw new Error(`${group.folder} is not empty`);
      await removeRoot(folder);
    },
  };
}

type Session = {
  readonly inside: number;
  readonly who: string;
  /** What x2gostartagent printed: display, cookie, pid, session's id, ports. */
  readonly said: readonly string[];
  readonly folder: string;
  readonly enter: readonly string[];
};

async function showSession(session: Session, screen: Screen): Promise<Bun.Subprocess> {
  const [display, cookie, agent, id, port] = session.said;
  if (port === undefined) throw new Error(`x2gostartagent of ${session.who} said: ${session.said.join(" ")}`);
  const own = `${session.folder}/clients`;
  mkdirSync(own, { recursive: true });
  const options = `${own}/${session.who}`;
  writeFileSync(
    options,
    `nx/nx,root=${own},connect=localhost,cookie=${cookie},port=${port},errors=/dev/null:${display}\n`,
  );
  const client = Bun.spawn(
    [
      "nsenter",
      `--target=${session.inside}`,
      "--net",
      "nxproxy",
      "-S",
      `nx/nx,options=${options}:${display}`,
    ],
    { env: { ...screen.env }, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  const log = `${session.folder}/tmp/.x2go-${session.who}/C-${id}/session.log`;
  const isUp = () =>
    readText(log).includes("Session started at") || readText(log).includes("Established X client");
  if (!(await waitFor(isUp, { timeoutMs: SESSION_MS })))
    throw new Error(`the X2Go session of ${session.who} did not come up: ${readText(log).slice(-400)}`);
  // It waits for the desktop's end, and so is left alone.
  const command = `setsid x2goruncommand ${display} ${agent} ${id} 0 /bench-desktop nosnd D </dev/null >/dev/null 2>&1 &`;
  await runOk(
    `the desktop of ${session.who}`,
    [
      ...session.enter,
      "su",
      "-",
      session.who,
      "-c",
      `export SSH_CONNECTION='10.0.0.1 1 10.0.0.2 22'; ${command}`,
    ],
    { timeoutMs: SESSION_MS },
  );
  return client;
}

async function buildRoot({ folder, archive, people }: X2goOptions): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const slow = { timeoutMs: LONG_MS };
  await runOk(
    "unpacking",
    ["tar", "--numeric-owner", "-xpf", archive, "-C", folder, "--exclude=./dev/*"],
    slow,
  );
  for (const name of ["dev", "proc", "sys"])
    await runOk("binding", ["mount", "--rbind", `/${name}`, `${folder}/${name}`]);
  rmSync(`${folder}/etc/resolv.conf`, { force: true });
  copyFileSync("/etc/resolv.conf", `${folder}/etc/resolv.conf`);
  writeFileSync(`${folder}/etc/hosts`, "127.0.0.1 localhost x2go\n");
  write(`${folder}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 101\n");
  write(`${folder}/bench-init`, INIT);
  write(`${folder}/bench-session`, START);
  write(`${folder}/bench-desktop`, SESSION_SCRIPT);
  const words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...PACKAGES];
  await runOk("asking for packages", ["chroot", folder, "apt-get", "update", "-q"], slow);
  await runOk("installing X2Go", ["chroot", folder, "env", "DEBIAN_FRONTEND=noninteractive", ...words], slow);
  const accounts = Array.from({ length: people }, (_, i) => `useradd -m -s /bin/bash p${i + 1}`).join("\n");
  await runOk("making people", ["chroot", folder, "sh", "-ec", `x2godbadmin --createdb\n${accounts}`], slow);
}

function write(path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

const INIT = `#!/bin/sh
ip link set lo up
hostname x2go
mount -t proc proc /proc
mkdir -p /tmp/.X11-unix /tmp/.ICE-unix /run/user
chmod 1777 /tmp /tmp/.X11-unix /tmp/.ICE-unix
while :; do sleep 1000 & wait; done
`;

const START = `#!/bin/sh
export SSH_CONNECTION='10.0.0.1 1 10.0.0.2 22' SSH_CLIENT='10.0.0.1 1 22'
exec x2gostartagent 1024x768 adsl 16m-jpeg-9 unix-kde-depth_24 us pc105/us 0 D /bench-desktop both
`;

/** The first process of the namespace is the only child of unshare. */
function findInit(parent: number): number | undefined {
  return listProcesses().find((one) => one.parentPid === parent)?.pid;
}

function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not written yet.
    return "";
  }
}

async function removeRoot(folder: string): Promise<void> {
  for (const name of ["dev", "proc", "sys"]) await run(["umount", "-R", "-l", `${folder}/${name}`]);
  await run(["rm", "-rf", "--one-file-system", "--", folder], { timeoutMs: LONG_MS });
}
