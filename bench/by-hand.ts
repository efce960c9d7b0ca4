/**
 * The yardstick of a cold start: the same base tree, the same container and the same nxagent, put together
 * by the commands that a person would type, for the same result. No wish, no plan, no database, no agent.
 *
 * | once, beforehand                            | in each round, and timed                                         |
 * |---|---|
 * | base and home bound, shifted into its range | a fresh overlay over the base                                    |
 * | configuration and init script written       | its address let through by the packet filter and told to the host|
 * | rules against forged addresses              | lxc-start; the account, its folders, nxagent with the session    |
 *
 * A round ends when nxagent says that it waits for its client and its port is open: where ours ends.
 */

import { closeSync, mkdirSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { chmod, chown, mkdir, rm } from "node:fs/promises";
import { asId, type DiId, type VmId } from "../src/domain/ids.ts";
import { idRangeOf } from "../src/domain/node/id-range.ts";
import { baseFolder, type Layout } from "../src/domain/node/layout.ts";
import { macOf, type NetworkRange } from "../src/domain/node/network-range.ts";
import { formatOptionsLine } from "../src/guest/session/options-line.ts";
import { SESSION_SCRIPT } from "../src/guest/session/scripts.ts";
import { AGENT_FOLDER, renderConfig } from "../src/hypervisor/lxc/render-config.ts";
import { isListening } from "../src/lib/is-listening.ts";
import { run, runOk } from "../src/lib/run.ts";
import { waitFor } from "../src/lib/wait.ts";
import { bindIdMapped } from "../src/storage/bind-id-mapped.ts";
import { openLibc } from "../src/storage/libc.ts";
import { withUserNamespace } from "../src/storage/user-namespace.ts";
import { NX_DISPLAY, NX_PORT } from "../src/wire/guest/messages.ts";

export type HandPlace = {
  readonly layout: Layout;
  readonly instance: string;
  readonly diId: DiId;
  readonly idRangeFirst: number;
  readonly range: NetworkRange;
  /** An address of the range that no desktop has. */
  readonly address: string;
  readonly memoryMb: number;
  readonly cpus: number;
};

export type HandDesktop = { readonly address: string; readonly listeningAt: number; stop(): Promise<void> };

export type ByHand = {
  /** Mounts, starts, and returns when nxagent waits for its client. */
  start(): Promise<HandDesktop>;
  close(): Promise<void>;
};

/** Name of their control groups and interfaces; never an instance's. */
const HAND = "byhand";
const LAST_SLOT = 29_999;
const UID = 2_000;

type Hand = HandPlace & { readonly number: number; readonly name: string };
const DEADLINE_MS = 60_000;

/** The rules that desktops of the box have (`render-ruleset.ts`), for interfaces of this name. */
const RULES = `table bridge ${HAND}
delete table bridge ${HAND}
table bridge ${HAND} {
  set mac { type ifname . ether_addr; }
  set ip4 { type ifname . ether_addr . ipv4_addr; }
  set chaddr { typeof iifname . @th,288,48; }
  chain pre {
    type filter hook prerouting priority -300; policy accept;
    iifname "${HAND}-*" jump guard
  }
  chain guard {
    iifname . ether saddr != @mac counter drop
    ether type ip iifname . ether saddr . ip saddr @ip4 accept
    ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 iifname . @th,288,48 @chaddr accept
    ether type arp arp htype 1 arp ptype ip iifname . arp saddr ether . arp saddr ip @ip4 accept
    counter drop
  }
}
`;

/** `number` tells several of them apart, 1 to 250; each has an id range, an interface and control groups of its own. */
export async function prepareByHand(place: HandPlace, number = 1): Promise<ByHand> {
  const hand: Hand = {
    ...place,
    number,
    name: `${HAND}${String(number).padStart(3, "0")}`,
    address: place.address.replace(/\d+$/, String(number)),
  };
  const folder = `${place.layout.stateFolder}/${hand.name}`;
  const range = idRangeOf(place.idRangeFirst, slotOf(hand));
  await rm(folder, { recursive: true, force: true });
  for (const name of ["base", "root", "home", "home-on-disk", "channel"]) {
    await mkdir(`${folder}/${name}`, { recursive: true, mode: 0o755 });
  }
  await chmod(folder, 0o711);
  await chown(`${folder}/home-on-disk`, 0, 0);
  const libc = openLibc();
  await withUserNamespace(range, async (namespace) => {
    const base = baseFolder(place.layout, place.diId);
    bindIdMapped(libc, namespace, { source: base, target: `${folder}/base`, isReadOnly: true });
    bindIdMapped(libc, namespace, {
      source: `${folder}/home-on-disk`,
      target: `${folder}/home`,
      isReadOnly: false,
    });
  });
  await runOk("ruling by hand", ["nft", "list", "table", "bridge", HAND]).catch(() =>
    runOk("ruling by hand", ["nft", "-f", "-"], { stdin: RULES }),
  );
  writeFileSync(`${folder}/init`, initScript(place.range.gateway), { mode: 0o755 });
  writeFileSync(`${folder}/lxc.conf`, configOf(hand, folder));
  return {
    start: () => start(hand, folder, range.first),
    close: async () => {
      for (const name of ["home", "base"]) await run(["umount", `${folder}/${name}`]);
      await run(["nft", "delete", "table", "bridge", HAND]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(place: Hand, folder: string): string {
  const config = renderConfig(
    {
      kind: "container",
      vmId: asId<VmId>(place.number),
      rootFolder: `${folder}/root`,
      homeFolder: `${folder}/home`,
      channelFolder: `${folder}/channel`,
      agentExecutable: process.execPath,
      hostName: place.name,
      memoryMb: place.memoryMb,
      cpus: place.cpus,
      idRange: idRangeOf(place.idRangeFirst, slotOf(place)),
      port: {
        bridge: `${place.instance}br0`,
        interfaceName: `${HAND}-${place.number}`,
        mac: macOf(place.address),
        address: place.address,
        prefixLength: place.range.prefixLength,
        gateway: place.range.gateway,
      },
    },
    {
      instance: place.name,
      initFile: `${folder}/init`,
      systemd: [],
      resolvers: [],
      searchDomain: "",
      seccompProfile: "/usr/share/lxc/config/common.seccomp",
    },
  );
  // For what no hand writes.
  return config.replace(`lxc.mount.entry = ${AGENT_FOLDER}\n`, "");
}

async function start(place: Hand, folder: string, firstUid: number): Promise<HandDesktop> {
  for (const name of ["upper", "work"]) {
    rmSync(`${folder}/${name}`, { recursive: true, force: true });
    mkdirSync(`${folder}/${name}`, { mode: 0o755 });
    await chown(`${folder}/${name}`, firstUid, firstUid);
  }
  const layers = `lowerdir=${folder}/base,upperdir=${folder}/upper,workdir=${folder}/work,nodev,volatile`;
  await runOk("mounting by hand", ["mount", "-t", "overlay", "-o", layers, place.name, `${folder}/root`]);
  const port = { name: `${HAND}-${place.number}`, mac: macOf(place.address), address: place.address };
  await runOk("letting it through", ["nft", "-f", "-"], { stdin: elements("add", port) });
  const neighbour = ["replace", port.address, "lladdr", port.mac, "dev", `${place.instance}br0`];
  await runOk("telling the host", ["ip", "neigh", ...neighbour, "nud", "permanent"]);
  const name = ["-P", folder, "-n", place.name];
  await runOk("starting by hand", ["lxc-start", ...name, "-f", `${folder}/lxc.conf`, "-d"]);
  const isThere = await waitFor(
    () => tail(`${folder}/root/run/nxagent.log`).includes("Waiting for connection") && isPortOpen(place),
    {
      timeoutMs: DEADLINE_MS,
      everyMs: 2,
    },
  );
  const listeningAt = performance.now();
  const stop = async () => {
    await run(["lxc-stop", ...name, "-k"], { timeoutMs: 15_000 });
    await run(["nft", "-f", "-"], { stdin: elements("delete", port) });
    await run(["ip", "neigh", "del", port.address, "dev", `${place.instance}br0`]);
    await runOk("unmounting by hand", ["umount", `${folder}/root`]);
    await run([
      "find",
      "/sys/fs/cgroup",
      "-depth",
      "-type",
      "d",
      "-path",
      `*/${place.name}*`,
      "-exec",
      "rmdir",
      "{}",
      "+",
    ]);
  };
  if (isThere) return { address: place.address, listeningAt, stop };
  const said = tail(`${folder}/root/run/nxagent.log`);
  await stop();
  throw new Error(`nxagent did not listen: ${said.slice(-400)}`);
}

type HandPort = { readonly name: string; readonly mac: string; readonly address: string };

function elements(verb: "add" | "delete", { name, mac, address }: HandPort): string {
  const of = [
    ["mac", `"${name}" . ${mac}`],
    ["ip4", `"${name}" . ${mac} . ${address}`],
    ["chaddr", `"${name}" . 0x${mac.replaceAll(":", "")}`],
  ];
  return of.map(([set, element]) => `${verb} element bridge ${HAND} ${set} { ${element} }\n`).join("");
}

/** As the desktop's kernel tells it; the port itself may not be tried. */
function isPortOpen({ name, number }: Hand): boolean {
  const group = `${name}/c/${number}/cgroup.procs`;
  const [first] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].flatMap((root) => {
    const [pid = ""] = tail(`${root}/${group}`).split("\n");
    return /^[1-9]\d*$/.test(pid) ? [pid] : [];
  });
  return first !== undefined && isListening(NX_PORT, `/proc/${first}/net`);
}

/** Far from the slots that a box gives away. */
function slotOf(hand: Hand): number {
  return LAST_SLOT + 1 - hand.number;
}

/** What a person would put into a start script: an account, its folders, and nxagent with the image's session. */
export function initScript(gateway: string): string {
  const options = formatOptionsLine({
    client: { keyboard: "pc105/us", os: "linux", link: "adsl", geometry: "1024x768", isFullscreen: false },
    accept: gateway,
    stateFile: "/run/nxagent.state",
  });
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
trap 'exit 0' TERM
rm -rf /tmp/.X11-unix /tmp/.X${NX_DISPLAY}-lock
useradd --uid ${UID} --user-group --create-home --shell /bin/bash hand 2>/dev/null ||
  useradd --uid ${UID} --user-group --no-create-home --home-dir /home/hand --shell /bin/bash hand
mkdir -p /run/user/${UID} /tmp/.X11-unix /tmp/.ICE-unix
chmod 1777 /tmp/.X11-unix /tmp/.ICE-unix
chown ${UID}:${UID} /run/user/${UID} && chmod 700 /run/user/${UID}
: >/run/nxagent.state && chown ${UID} /run/nxagent.state
cat >/run/options <<'END'
${options?.trim()}
END
cat >/run/session <<'END'
${SESSION_SCRIPT}END
chmod 755 /run/session
cd /home/hand
HOME=/home/hand USER=hand LOGNAME=hand SHELL=/bin/bash LANG=C.UTF-8 XDG_RUNTIME_DIR=/run/user/${UID} NX_CLIENT=/bin/false \\
  setpriv --reuid=${UID} --regid=${UID} --init-groups --inh-caps=-all xinit /run/session -- \\
  /usr/bin/nxagent :${NX_DISPLAY} -s 0 -ac -nolisten tcp -name QVD -display nx/nx,options=/run/options:${NX_DISPLAY} \\
  >/run/nxagent.log 2>&1 &
wait
`;
}

/** The last of a file that may not be there yet. */
function tail(path: string): string {
  try {
    const file = openSync(path, "r");
    const bytes = Buffer.alloc(8192);
    const size = readSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
    return bytes.toString("utf8", 0, size);
  } catch {
    // Not written yet.
    return "";
  }
}
