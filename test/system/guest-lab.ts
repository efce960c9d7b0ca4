/**
 * A real desktop for the guest's system test: a container of Debian packages under the real driver, storage
 * and network, with our agent in it, and Debian's nxproxy on an Xvfb screen as the client. Everything is named
 * after `gstlab` and is gone after `stop`; the packed root is cached.
 */

import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { startWindowManager } from "../../bench/window-manager.ts";
import { asId, type DiId, type VmId } from "../../src/domain/ids.ts";
import { idRangeOf } from "../../src/domain/node/id-range.ts";
import { layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { parseNetworkRange } from "../../src/domain/node/network-range.ts";
import { openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { findInit } from "../../src/hypervisor/lxc/find-init.ts";
import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";
import { removeInstance } from "../../src/hypervisor/lxc/remove-instance.ts";
import { describeError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createNetwork } from "../../src/network/network.ts";
import { createStorage } from "../../src/storage/storage.ts";
import { claimLab, releaseLab, SHORT_CLAIM_MS } from "../support/claim-lab.ts";
import { removeLeftDisplay } from "../support/left-display.ts";

const CACHE = "/var/cache/qvd-test";
const VM = asId<VmId>(1);
const IMAGE = asId<DiId>(1);
const ID_FIRST = 1_000_000;
/** Less than a test gives its end. */
const REMOVE_MS = 150_000;
export const GATEWAY = "10.93.1.1";
export const ADDRESS = "10.93.1.10";
const PACKAGES = "nxagent,xauth,xinit,x11-xserver-utils,xterm,i3lock,dbus,dbus-x11,procps,iproute2,passwd";

/** Paints the whole screen in one colour and keeps a window that writes down what is typed into it. */
const SESSION_PROGRAM = `#!/bin/sh
xsetroot -solid '#204080'
echo "$HOME $USER $SHELL $LANG $XDG_RUNTIME_DIR" > "$HOME/session-env"
[ -n "$DBUS_SESSION_BUS_ADDRESS" ] && echo bus >> "$HOME/session-env"
exec xterm -bg '#c02040' -fg white -geometry 60x20+40+40 -e sh -c 'while read -r line; do echo "$line" >> "$HOME/typed"; done'
`;

export type GuestLab = {
  readonly vmId: VmId;
  readonly socketPath: string;
  readonly ownerUid: number;
  start(): Promise<void>;
  /** Runs a shell text as root inside the desktop and returns what it printed. */
  inside(text: string): Promise<string>;
  isRunning(): Promise<boolean>;
  /** Ends this life; its disks stay for the next. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

export type GuestLabOptions = {
  /** An image with a session of its own; without it a small root with a session of two colours is used. */
  readonly archive?: string;
  /** Puts the session of two colours into the archive's image, too. */
  readonly hasSession?: boolean;
  readonly memoryMb?: number;
  /** Where another lab may run at the same time. */
  readonly place?: LabPlace;
};

export type LabPlace = {
  readonly instance: string;
  /** Beginning of the desktops' addresses, such as `10.93.1`. */
  readonly network: string;
  readonly screen: string;
};

const PLACE: LabPlace = { instance: "gstlab", network: "10.93.1", screen: ":93" };

export async function createGuestLab(options: GuestLabOptions = {}): Promise<GuestLab> {
  const { instance, network: addresses } = options.place ?? PLACE;
  const archive = options.archive ?? (await ensureArchive());
  await claimLab(instance, SHORT_CLAIM_MS);
  const scratch = await mkdtemp(`/var/tmp/qvd-${instance}-`);
  await chmod(scratch, 0o755);
  const agentExecutable = `${scratch}/agent`;
  await buildAgent(agentExecutable);
  const layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
  await mkdir(layout.stateFolder);
  const storage = createStorage({ layout, idRangeFirst: ID_FIRST, log: silentLog(), reserveBytes: 0 });
  const range = parseNetworkRange(`${addresses}.0/24`);
  const network = createNetwork({ instance, range, resolvers: [], log: silentLog() });
  await network.ensure();
  await storage.ensureBase(IMAGE, archive, new AbortController().signal);
  const mounted = await storage.mountDesktop({ vmId: VM, diId: IMAGE, slot: 1 });
  if (options.archive === undefined || options.hasSession) {
    await mkdir(`${mounted.rootFolder}/etc/qvd`, { recursive: true });
    await writeFile(`${mounted.rootFolder}/etc/qvd/session`, SESSION_PROGRAM, { mode: 0o755 });
  }
  const channelFolder = vmLayout(layout, VM).channel;
  await mkdir(channelFolder, { recursive: true });
  const idRange = idRangeOf(ID_FIRST, 1);
  const port = await network.addPort(VM, `${addresses}.10`);
  const hypervisor = await createLxcHypervisor({ instance, layout, resolvers: [] });
  const tree = await openCgroupTree(instance);
  const hardware = { hostName: "gstlab1", memoryMb: options.memoryMb ?? 512, cpus: 2 };
  const spec = {
    kind: "container" as const,
    vmId: VM,
    ...mounted,
    channelFolder,
    agentExecutable,
    ...hardware,
    idRange,
    port,
  };
  const namespaces = ["--user", "--mount", "--pid", "--net", "--uts", "--ipc", "--setuid=0", "--setgid=0"];

  return {
    vmId: VM,
    socketPath: vmLayout(layout, VM).channelSocket,
    ownerUid: idRange.first,
    start: () => hypervisor.start(spec, new AbortController().signal),
    async inside(text) {
      const enter = ["nsenter", `--target=${await findInit(tree, VM)}`, ...namespaces, "--root", "--wd"];
      try {
        return (await run([...enter, "--", "/bin/sh", "-c", text], { timeoutMs: 60_000 })).stdout.trim();
      } catch (error) {
        // What it began goes on in there, and is what somebody will look for.
        throw new Error(`${describeError(error)}: ${text}`);
      }
    },
    isRunning: async () => (await hypervisor.observe()).get(VM)?.isAlive ?? false,
    async kill() {
      await hypervisor.kill(VM);
      await hypervisor.cleanUp(VM);
    },
    async stop() {
      await hypervisor.kill(VM);
      await hypervisor.cleanUp(VM).catch(() => {}); // `removeInstance` takes what this leaves.
      await storage.unmountDesktop(VM);
      await network.remove();
      await removeInstance(instance);
      // A busy machine takes minutes for a whole system's files, and what is left of them fills its disk.
      await run(["rm", "-rf", "--one-file-system", "--", scratch], { timeoutMs: REMOVE_MS });
      releaseLab(instance);
    },
  };
}

export async function ensureArchive(): Promise<string> {
  const archive = `${CACHE}/guest-root-with-locker.tar.zst`;
  if (await Bun.file(archive).exists()) return archive;
  await mkdir(CACHE, { recursive: true });
  const tar = `${CACHE}/guest-root-with-locker.tar`;
  const options = ["--variant=minbase", "--mode=root", '--aptopt=APT::Install-Recommends "false"'];
  const build = ["mmdebstrap", ...options, `--include=${PACKAGES}`, "bookworm", tar];
  await runOk("building the test root", build, { timeoutMs: 600_000 });
  await runOk("packing the test root", ["zstd", "-q", "--rm", tar, "-o", `${archive}.new`]);
  await runOk("keeping the test root", ["mv", `${archive}.new`, archive]);
  return archive;
}

/** From the sources under test, each time: it takes half a second. */
export async function buildAgent(out: string): Promise<void> {
  const flags = ["--compile", "--splitting", "--minify", "--bytecode", "--format=esm"];
  const safe = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const entry = `${import.meta.dir}/guest-entry.ts`;
  const build = [process.execPath, "build", ...flags, ...safe, entry, "--outfile", out];
  await runOk("building the agent", build, { timeoutMs: 60_000, cwd: "/var/tmp" });
}

export type NxClient = {
  /** How many pixels of the client's screen have that colour. */
  countPixels(colour: string): Promise<number>;
  type(text: string): Promise<void>;
  /** How many colours the client's screen shows; one, while nothing is there. */
  countColours(): Promise<number>;
  /** Cuts the connection as a crash of the client would. */
  drop(): Promise<void>;
};

/** An X screen with a window manager; clients come and go on it. */
export async function createScreen(
  place = PLACE,
): Promise<{ connect(address?: string): NxClient; stop(): Promise<void> }> {
  const home = await mkdtemp(`/tmp/${place.instance}-client-`);
  const env = {
    PATH: "/usr/bin:/bin:/usr/local/bin",
    HOME: home,
    DISPLAY: place.screen,
    NX_CLIENT: "/bin/false",
  };
  const quiet = { env, stdio: ["ignore", "ignore", "ignore"] as ["ignore", "ignore", "ignore"] };
  const isUp = async () => (await run(["sh", "-c", "xwd -root -silent >/dev/null"], { env })).exitCode === 0;
  if (!(await isUp())) await removeLeftDisplay(place.screen);
  const xvfb = Bun.spawn(
    ["Xvfb", place.screen, "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
    quiet,
  );
  if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 50 }))) throw new Error("Xvfb did not come up");
  // A key that a machine which stands still holds down for long would come many times.
  await runOk("having keys come once", ["xset", "r", "off"], { env });
  const openbox = await startWindowManager((command) => Bun.spawn([...command], quiet), home);
  return {
    connect(address = `${place.network}.10`) {
      const proxy = Bun.spawn(["nxproxy", "-S", `${address}:100`], quiet);
      return {
        countPixels: (colour) => countPixels(colour, env),
        async countColours() {
          const shot = "xwd -root -silent | convert xwd:- -format %k info:-";
          return Number((await run(["sh", "-c", shot], { env })).stdout.trim());
        },
        async type(text) {
          await run(["xdotool", "mousemove", "300", "300", "sleep", "0.2", "click", "1", "sleep", "0.3"], {
            env,
          });
          await run(["xdotool", "type", "--delay", "20", text], { env });
          // A line end among what is typed would be the key Linefeed, which not every keyboard has.
          await run(["xdotool", "key", "Return"], { env });
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
