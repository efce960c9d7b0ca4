/**
 * A Debian of the benchmark's own for other products' servers: the desktop's image with their packages, in namespaces of
 * its own. Whoever signs in is an account of this Debian, never of the machine. What takes minutes (unpacking, installing)
 * is kept from run to run; each run works on an overlay.
 */

import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CLEAN_ENV, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { listProcesses } from "../processes.ts";

export type PeerOptions = {
  /** Tells roots of several benchmarks apart. */
  readonly name: string;
  /** Archive of the desktop's image, .tar.zst. */
  readonly archive: string;
  readonly packages: readonly string[];
  /** Further files of the root, by path; a script when it begins with #!. */
  readonly files: Readonly<Record<string, string>>;
  /** Run once inside, when the packages are there. */
  readonly prepare: string;
};

export type PeerDebian = {
  readonly root: string;
  /** Puts a command inside: its files, processes and network are the Debian's. */
  readonly inside: readonly string[];
  /** Puts a client of the machine into the Debian's network, where alone its servers are. */
  readonly beside: readonly string[];
  /** Runs a script inside, to its end. */
  run(doing: string, script: string): Promise<string>;
  close(): Promise<void>;
};

const KEPT = "/var/cache/qvd/bench";
const LONG = { timeoutMs: 900_000 };

export async function openPeerDebian(options: PeerOptions): Promise<PeerDebian> {
  const base = await buildBase(options);
  const folder = `/var/tmp/qvd-peer-${options.name}`;
  const root = `${folder}/root`;
  await remove(folder);
  for (const name of ["root", "upper", "work"]) mkdirSync(`${folder}/${name}`, { recursive: true });
  const layers = `lowerdir=${base},upperdir=${folder}/upper,workdir=${folder}/work`;
  await runOk("mounting the Debian of the peers", ["mount", "-t", "overlay", "-o", layers, "peer", root]);
  for (const name of ["dev", "proc", "sys"])
    await runOk("binding", ["mount", "--rbind", "--make-rslave", `/${name}`, `${root}/${name}`]);
  const unshare = ["unshare", "--net", "--pid", "--fork", "--mount", "--uts", "--ipc", "--kill-child"];
  const init = Bun.spawn([...unshare, "chroot", root, "/bench-init"], {
    env: { ...CLEAN_ENV },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const pid = await waitFor(() => listProcesses().find((one) => one.parentPid === init.pid)?.pid, {
    timeoutMs: 10_000,
  });
  if (pid === undefined) throw new Error("the Debian of the peers did not start");
  const target = `--target=${pid}`;
  // Its own root, not the path: set-gid programs of another mount namespace would not be honoured.
  const inside = ["nsenter", target, "--net", "--pid", "--mount", "--uts", "--ipc", "--root", "--wd"];
  const isReady = () => existsSync(`${root}/run/bench-ready`);
  if (!(await waitFor(isReady, { timeoutMs: 10_000 }))) throw new Error("the peers' servers did not start");
  return {
    root,
    inside,
    beside: ["nsenter", target, "--net"],
    run: (doing, script) => runOk(doing, [...inside, "sh", "-c", script]),
    async close() {
      await run(["kill", "-KILL", String(pid)]);
      await init.exited;
      await remove(folder);
    },
  };
}

/** Every recipe has a folder of its own, made under another name until it is whole. */
async function buildBase({ name, archive, packages, files, prepare }: PeerOptions): Promise<string> {
  const recipe = JSON.stringify([archive, packages, files, prepare, INIT]);
  const base = `${KEPT}/${name}-${createHash("sha256").update(recipe).digest("hex").slice(0, 16)}`;
  if (existsSync(base)) return base;
  const making = `${KEPT}/.${name}`;
  await remove(making);
  mkdirSync(making, { recursive: true });
  const words = ["tar", "--numeric-owner", "-xpf", archive, "-C", making, "--exclude=./dev/*"];
  await runOk("unpacking", words, LONG);
  for (const place of ["dev", "proc", "sys"])
    await runOk("binding", ["mount", "--rbind", "--make-rslave", `/${place}`, `${making}/${place}`]);
  rmSync(`${making}/etc/resolv.conf`, { force: true });
  copyFileSync("/etc/resolv.conf", `${making}/etc/resolv.conf`);
  write(`${making}/etc/hosts`, "127.0.0.1 localhost peer\n");
  write(`${making}/usr/sbin/policy-rc.d`, "#!/bin/sh\nexit 101\n");
  const inside = ["chroot", making, "env", "DEBIAN_FRONTEND=noninteractive"];
  await runOk("asking for packages", [...inside, "apt-get", "update", "-q"], LONG);
  const install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...packages];
  await runOk("installing the peers", [...inside, ...install], LONG);
  for (const [path, text] of Object.entries({ ...files, "/bench-init": INIT })) write(making + path, text);
  await runOk("preparing the peers", [...inside, "sh", "-ec", prepare], LONG);
  for (const place of ["dev", "proc", "sys"]) await run(["umount", "-R", "-l", `${making}/${place}`]);
  renameSync(making, base);
  return base;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (text.startsWith("#!")) chmodSync(path, 0o755);
}

/** /etc/bench-start is what the benchmark has run at the start. */
const INIT = `#!/bin/sh
ip link set lo up
hostname peer
mount -t proc proc /proc
mkdir -p /tmp/.X11-unix /tmp/.ICE-unix /run/user
chmod 1777 /tmp /tmp/.X11-unix /tmp/.ICE-unix
[ ! -x /etc/bench-start ] || /etc/bench-start >/var/log/bench-start 2>&1
: >/run/bench-ready
while :; do sleep 1000 & wait; done
`;

async function remove(folder: string): Promise<void> {
  for (const name of ["dev", "proc", "sys"]) {
    await run(["umount", "-R", "-l", `${folder}/${name}`]);
    await run(["umount", "-R", "-l", `${folder}/root/${name}`]);
  }
  await run(["umount", "-l", `${folder}/root`]);
  await run(["rm", "-rf", "--one-file-system", "--", folder], LONG);
}
