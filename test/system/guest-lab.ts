/**
 * A real desktop for the guest's system test: an id-mapped LXC container of Debian packages with our agent in
 * it, on a bridge of its own, and Debian's nxproxy on an Xvfb screen as the client. Everything is named after
 * `gstlab` and is gone after `stop`; root tree and agent are cached.
 */

import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

const CACHE = "/var/cache/qvd-test";
const FIRST_ID = 1_999_000_000;
const ID_COUNT = 65_536;
const BRIDGE = "gstlab0";
export const GATEWAY = "10.93.1.1";
export const ADDRESS = "10.93.1.10";
const NAME = "gstlab1";
const SCREEN = ":93";
const PACKAGES = "nxagent,xauth,xinit,x11-xserver-utils,xterm,dbus,dbus-x11,procps,iproute2,passwd";

/** Paints the whole screen in one colour and keeps a window; its first argument is never needed. */
const SESSION_PROGRAM = `#!/bin/sh
xsetroot -solid '#204080'
echo "$HOME $USER $SHELL $LANG $XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS" > "$HOME/session-env"
exec xterm -bg '#c02040' -fg white -geometry 60x20+40+40 -e sh -c 'while read -r line; do echo "$line" >> "$HOME/typed"; done'
`;

const INIT = `#!/bin/sh
trap 'kill -TERM -1; exit 0' TERM
while :; do
  /opt/qvd/agent &
  wait $!
  [ $? = 80 ] && exit 0
  sleep 0.1
done
`;

export type GuestLab = {
  readonly socketPath: string;
  readonly ownerUid: number;
  start(): Promise<void>;
  /** Runs a shell text as root inside the desktop and returns what it printed. */
  inside(text: string): Promise<string>;
  /** Pid on the host of the one process inside whose command line matches; undefined when none does. */
  findInside(pattern: string): Promise<number | undefined>;
  isRunning(): Promise<boolean>;
  stop(): Promise<void>;
};

export async function createGuestLab(): Promise<GuestLab> {
  const base = await ensureBase();
  const agent = await ensureAgent();
  await removeContainer();
  const folder = await mkdtemp(`${CACHE}/lab-`);
  await chmod(folder, 0o755);
  for (const part of ["upper", "work", "root", "home", "channel"]) await mkdir(`${folder}/${part}`);
  for (const part of ["upper", "work", "home"]) await chown(`${folder}/${part}`, FIRST_ID, FIRST_ID);
  const options = `lowerdir=${base},upperdir=${folder}/upper,workdir=${folder}/work`;
  await runOk("mounting the test root", [
    "mount",
    "-t",
    "overlay",
    "overlay",
    "-o",
    options,
    `${folder}/root`,
  ]);
  await putProgram(`${folder}/root/etc/qvd/session`, SESSION_PROGRAM);
  await putProgram(`${folder}/root/opt/qvd/init`, INIT);
  await cp(agent, `${folder}/root/opt/qvd/agent`);
  await run(["ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0"]);
  await run(["ip", "address", "add", `${GATEWAY}/24`, "dev", BRIDGE]);
  await runOk("raising the test bridge", ["ip", "link", "set", BRIDGE, "up"]);
  await writeFile(`${folder}/config`, formatConfig(folder));

  const isRunning = async () =>
    (await run(["lxc-info", "-P", folder, "-n", NAME, "-sH"])).stdout.trim() === "RUNNING";
  return {
    socketPath: `${folder}/channel/guest.sock`,
    ownerUid: FIRST_ID,
    isRunning,
    async start() {
      const command = ["lxc-start", "-P", folder, "-n", NAME, "-f", `${folder}/config`, "-d"];
      await runOk("starting the test desktop", [...command, "-o", `${folder}/lxc.log`, "-l", "WARN"]);
    },
    async inside(text) {
      const attach = [
        "lxc-attach",
        "-P",
        folder,
        "-n",
        NAME,
        "--clear-env",
        "-v",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      ];
      return (await run([...attach, "--", "sh", "-c", text], { timeoutMs: 20_000 })).stdout.trim();
    },
    async findInside(pattern) {
      const found = await run([
        "pgrep",
        "-f",
        "--ns",
        String(await initPid(folder)),
        "--nslist",
        "pid",
        pattern,
      ]);
      const pid = Number(found.stdout.trim().split("\n")[0]);
      return pid > 0 ? pid : undefined;
    },
    async stop() {
      await run(["lxc-stop", "-P", folder, "-n", NAME, "-k"], { timeoutMs: 20_000 });
      await removeContainer();
      await run(["umount", `${folder}/root`]);
      await rm(folder, { recursive: true, force: true });
      await run(["ip", "link", "del", BRIDGE]);
    },
  };
}

async function initPid(folder: string): Promise<number> {
  return Number((await run(["lxc-info", "-P", folder, "-n", NAME, "-pH"])).stdout.trim());
}

async function removeContainer(): Promise<void> {
  await run(["ip", "link", "del", "gstlab-1"]);
  const cgroups = "find /sys/fs/cgroup -depth -type d -path '*gstlab*' -exec rmdir {} + 2>/dev/null";
  await run(["sh", "-c", cgroups]);
}

function formatConfig(folder: string): string {
  return `lxc.uts.name = ${NAME}
lxc.rootfs.path = dir:${folder}/root
lxc.idmap = u 0 ${FIRST_ID} ${ID_COUNT}
lxc.idmap = g 0 ${FIRST_ID} ${ID_COUNT}
lxc.init.cmd = /opt/qvd/init
lxc.autodev = 1
lxc.tty.max = 0
lxc.pty.max = 64
lxc.console.path = none
lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
lxc.mount.entry = tmpfs dev/shm tmpfs rw,nosuid,nodev,size=64m,mode=1777,create=dir 0 0
lxc.mount.entry = tmpfs tmp tmpfs rw,nosuid,nodev,size=64m,mode=1777,create=dir 0 0
lxc.mount.entry = ${folder}/home home none rw,bind,nosuid,nodev,create=dir 0 0
lxc.mount.entry = ${folder}/channel run/qvd none ro,bind,nosuid,nodev,noexec,create=dir 0 0
lxc.net.0.type = veth
lxc.net.0.link = ${BRIDGE}
lxc.net.0.flags = up
lxc.net.0.name = eth0
lxc.net.0.hwaddr = 02:51:0a:5d:01:0a
lxc.net.0.veth.pair = gstlab-1
lxc.net.0.ipv4.address = ${ADDRESS}/24
lxc.net.0.ipv4.gateway = ${GATEWAY}
lxc.apparmor.profile = unconfined
lxc.prlimit.core = 0
lxc.signal.halt = SIGTERM
lxc.cgroup.dir = gstlab
`;
}

async function putProgram(path: string, text: string): Promise<void> {
  await runOk("making a folder of the test root", ["mkdir", "-p", path.slice(0, path.lastIndexOf("/"))]);
  await writeFile(path, text);
  await chmod(path, 0o755);
}

async function ensureBase(): Promise<string> {
  const base = `${CACHE}/guest-base`;
  if (await Bun.file(`${base}/usr/bin/nxagent`).exists()) return base;
  const archive = `${CACHE}/guest-root.tar.zst`;
  await mkdir(CACHE, { recursive: true });
  if (!(await Bun.file(archive).exists())) {
    const options = ["--variant=minbase", "--mode=root", '--aptopt=APT::Install-Recommends "false"'];
    const tar = `${CACHE}/guest-root.tar`;
    const build = ["mmdebstrap", ...options, `--include=${PACKAGES}`, "bookworm", tar];
    await runOk("building the test root", build, { timeoutMs: 600_000 });
    await runOk("packing the test root", ["zstd", "-q", "--rm", tar, "-o", archive]);
  }
  await mkdir(base, { recursive: true });
  await chmod(base, 0o755);
  await chown(base, FIRST_ID, FIRST_ID);
  const map = `0:${FIRST_ID}:${ID_COUNT}`;
  const unpack = `zstd -dc ${archive} | lxc-usernsexec -m u:${map} -m g:${map} -- tar -C ${base} -x -p --numeric-owner --exclude='./dev/*'`;
  await runOk("unpacking the test root", ["sh", "-c", unpack], { timeoutMs: 120_000 });
  return base;
}

/** Built from the sources under test each time; it takes half a second. */
async function ensureAgent(): Promise<string> {
  const out = `${CACHE}/guest-agent`;
  const flags = ["--compile", "--splitting", "--minify", "--bytecode", "--format=esm"];
  const safe = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const entry = `${import.meta.dir}/guest-entry.ts`;
  const build = [process.execPath, "build", ...flags, ...safe, entry, "--outfile", out];
  await runOk("building the agent", build, { timeoutMs: 60_000, cwd: CACHE });
  return out;
}

export type NxClient = {
  /** How many pixels of the client's screen have that colour. */
  countPixels(colour: string): Promise<number>;
  type(text: string): Promise<void>;
  /** Cuts the connection as a crash of the client would. */
  drop(): Promise<void>;
};

/** An X screen with a window manager; clients come and go on it. */
export async function createScreen(): Promise<{ connect(): NxClient; stop(): Promise<void> }> {
  const home = await mkdtemp("/tmp/gstlab-client-");
  const env = { PATH: "/usr/bin:/bin:/usr/local/bin", HOME: home, DISPLAY: SCREEN, NX_CLIENT: "/bin/false" };
  const quiet = { env, stdio: ["ignore", "ignore", "ignore"] as ["ignore", "ignore", "ignore"] };
  const xvfb = Bun.spawn(
    ["Xvfb", SCREEN, "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
    quiet,
  );
  const isUp = async () => (await run(["sh", "-c", "xwd -root -silent >/dev/null"], { env })).exitCode === 0;
  if (!(await waitFor(isUp, { timeoutMs: 5_000, everyMs: 50 }))) throw new Error("Xvfb did not come up");
  const openbox = Bun.spawn(["openbox"], quiet);
  return {
    connect() {
      const proxy = Bun.spawn(["nxproxy", "-S", `${ADDRESS}:100`], quiet);
      return {
        countPixels: (colour) => countPixels(colour, env),
        async type(text) {
          await run(["xdotool", "mousemove", "300", "300", "sleep", "0.2", "click", "1", "sleep", "0.3"], {
            env,
          });
          await run(["xdotool", "type", "--delay", "20", `${text}\n`], { env });
        },
        async drop() {
          proxy.kill("SIGKILL");
          await proxy.exited;
        },
      };
    },
    async stop() {
      openbox.kill("SIGKILL");
      xvfb.kill("SIGTERM");
      await xvfb.exited;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function countPixels(colour: string, env: Record<string, string>): Promise<number> {
  const shot = "xwd -root -silent | convert xwd:- -depth 8 -format %c histogram:info:-";
  const { stdout } = await run(["sh", "-c", shot], { env });
  const line = stdout.split("\n").find((one) => one.toLowerCase().includes(colour));
  return Number(line?.trim().split(":")[0] ?? 0);
}
