/**
 * A machine of its own kernel as a box of a site: a stock Debian under QEMU with the compiled executable as its
 * unit `qvd-node`, its shared folder on NFS. Set up as docs/operations say, by hand where the site differs.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { VmId } from "../../src/domain/ids.ts";
import { type DebianGuest, startDebianGuest } from "./debian-guest.ts";

export type LateBoxOptions = {
  readonly name: string;
  readonly tap: string;
  readonly hardwareAddress: string;
  /** With the length of its prefix. */
  readonly address: string;
  readonly sshPort: number;
  /** `server:/export`, and the options that the mount needs beside those of docs/operations/storage.md. */
  readonly share: { readonly source: string; readonly options: string };
  readonly executable: string;
  /** Settings of the box. */
  readonly settings: Readonly<Record<string, string>>;
};

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MEMORY_MB = 1_536;
const SHARED = "/srv/shared";
const SLOW_MS = 900_000;

export class LateBox {
  readonly name: string;
  readonly tap: string;
  readonly machine: DebianGuest;

  /** Resolves when its unit is started, which is before it is registered. */
  static async start(options: LateBoxOptions): Promise<LateBox> {
    const { name, tap, hardwareAddress, sshPort, executable } = options;
    const machine = await startDebianGuest({
      given: { lib: `${ROOT}script/lib`, units: `${ROOT}appliance/units`, qvd: executable },
      ports: {},
      memoryMb: MEMORY_MB,
      packages: await listPackages(),
      cables: [{ tap, hardwareAddress }],
      hostName: name,
      sshPort,
    });
    try {
      await machine.must(setUpScript(options), SLOW_MS);
      return new LateBox(options, machine);
    } catch (error) {
      await machine.dispose();
      throw error;
    }
  }

  private constructor({ name, tap }: LateBoxOptions, machine: DebianGuest) {
    this.name = name;
    this.tap = tap;
    this.machine = machine;
  }

  /** Resolves once its desktops' processes are frozen. */
  async awaitFrozen(timeoutMs: number): Promise<void> {
    const isFrozen = "grep -qx 1 /sys/fs/cgroup/qvd/c/cgroup.freeze";
    await this.machine.must(`until ${isFrozen}; do sleep 0.1; done`, timeoutMs);
  }

  /** Resolves once no process of the desktop and none of its file systems is left. */
  async awaitGone(vmId: VmId, timeoutMs: number): Promise<void> {
    const group = `/sys/fs/cgroup/qvd/c/${vmId}/cgroup.events`;
    const isThere = `grep -qs 'populated 1' ${group} || grep -q ' /var/lib/qvd/vms/${vmId}/' /proc/self/mountinfo`;
    await this.machine.must(`while ${isThere}; do sleep 0.2; done`, timeoutMs);
  }

  /** The end of all that it said, for whoever looks into a failure. */
  async tell(): Promise<string> {
    const { exitCode, stdout, stderr } = await this.machine.run(
      "journalctl -u qvd-node -o cat | tail -n 30; tail -n 30 /var/lib/qvd/logs/keeper.log; dmesg | tail -n 20",
    );
    return `${this.name}${exitCode === 0 ? "" : ` (ended with ${exitCode}: ${stderr})`}:\n${stdout}`;
  }
}

/** The database is elsewhere. */
async function listPackages(): Promise<readonly string[]> {
  const listed = await readFile(`${ROOT}script/lib/runtime-packages`, "utf8");
  const words = listed.split("\n").filter((line) => /^[a-z][^ ]*$/.test(line) && line !== "postgresql");
  return [...words, "nfs-common"];
}

function setUpScript({ name, hardwareAddress, address, share, settings }: LateBoxOptions): string {
  const values = { QVD_NODE_NAME: name, QVD_SHARED: SHARED, ...settings };
  return `set -eu
cat >/etc/systemd/network/05-site.network <<END
[Match]
MACAddress=${hardwareAddress}
[Network]
Address=${address}
END
networkctl reload
echo net.ipv4.tcp_retries2=5 >/etc/sysctl.d/site.conf; sysctl -q -p /etc/sysctl.d/site.conf
mkdir -p ${SHARED}
echo '${share.source} ${SHARED} nfs4 ${share.options},vers=4.2,hard,nosharecache,_netdev 0 0' >>/etc/fstab
systemctl daemon-reload
for _ in 1 2 3 4 5 6 7 8 9 10; do mount ${SHARED} && break; sleep 2; done
mountpoint -q ${SHARED}
cd /srv/given
program=box; . lib/system.sh; make_accounts; give_ranges; raise_limits
systemctl disable -q --now lxc-net lxc lxc-monitord 2>/dev/null || true
install -D -m 755 qvd /opt/qvd/bin/qvd
mkdir -p /etc/qvd /etc/systemd/system/qvd-node.service.d
cat >/etc/qvd/qvd.conf <<'END'
${Object.entries(values)
  .map(([key, value]) => `${key}=${value}`)
  .join("\n")}
END
install -m 644 units/qvd-node.service /etc/systemd/system/
printf '[Unit]\\nRequiresMountsFor=${SHARED}\\n' >/etc/systemd/system/qvd-node.service.d/shared.conf
sync
systemctl daemon-reload
systemctl enable -q qvd-node
systemctl start --no-block qvd-node
`;
}
