/**
 * A stock Debian 12 with systemd and control groups of version 2 alone, as a user's box is: installing, the contract of
 * the LXC driver, a person's round with a real client, a reboot, an upgrade, and the removal. Under software emulation;
 * twenty minutes on two cores. Run by `QVD_TEST_LONG=1 bun test test/system/long/install.test.ts`; skipped otherwise, because of that.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { openScreen, type Screen } from "../../../bench/screen.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { type DebianGuest, startDebianGuest } from "../../support/debian-guest.ts";
import { EARLY_PACKAGES } from "../../support/early-packages.ts";
import { packDesktop, TYPED_FILE } from "../../support/fault-images.ts";
import { askOnce, type Person, Visit } from "../../support/nx-visit.ts";

const ROOT = new URL("../../..", import.meta.url).pathname.replace(/\/$/, "");
const MINUTE_MS = 60_000;
const PORTS = { broker: 26_443, admin: 26_444 };
/** The session of a whole desktop under software emulation. */
const LOOK = { answerMs: 15 * MINUTE_MS, shownMs: 15 * MINUTE_MS };
/** On a busy machine; on one of its own a step takes a tenth of it. */
const STEP_MS = 40 * MINUTE_MS;
const TEST_MS = 90 * MINUTE_MS;

const TYPED = "written by anna";

const isLong = process.env.QVD_TEST_LONG === "1";

describe.skipIf(!isLong)("a stock Debian with qvd installed (long form: set QVD_TEST_LONG=1)", () => {
  let scratch = "";
  let guest: DebianGuest;
  let screen: Screen;
  let adminPassword = "";
  let anna: Person;

  beforeAll(async () => {
    await runOk("compiling", [process.execPath, "run", "build.ts"], { cwd: ROOT, timeoutMs: 10 * MINUTE_MS });
    scratch = await mkdtemp("/var/tmp/qvd-install-");
    await packDesktop(`${scratch}/desktop.tar.zst`);
    const given = Object.fromEntries(
      ["appliance", "migrations", "script", "src", "test", ".tools", "dist", "package.json", "tsconfig.json"]
        .concat(["drizzle-orm", "hono", "postgres", "tweetnacl", "zod"].map((name) => `node_modules/${name}`))
        .map((name) => [name, `${ROOT}/${name}`]),
    );
    guest = await startDebianGuest({
      given: { ...given, "desktop.tar.zst": `${scratch}/desktop.tar.zst` },
      ports: { [PORTS.broker]: 8443, [PORTS.admin]: 9443 },
      memoryMb: 4096,
      packages: EARLY_PACKAGES,
    });
    screen = await openScreen();
  }, TEST_MS);
  afterAll(async () => {
    await screen?.close();
    await guest?.dispose();
    if (scratch !== "") await rm(scratch, { recursive: true });
  }, MINUTE_MS);

  /** Runs qvd in the guest as its administrator. */
  const qvd = (words: string, stdin = "") =>
    guest.must(
      `export QVD_API_CA=/var/lib/qvd/ca.crt QVD_LOGIN=admin QVD_PASSWORD='${adminPassword}'
printf '%s' '${stdin}' | qvd ${words}`,
      STEP_MS,
    );
  const isTyped = async (homes = "/var/lib/qvd/vms/*/home") =>
    (await guest.must(`find ${homes} -name ${TYPED_FILE} -exec cat {} +`)) === `${TYPED}\n`;
  const awaitRunningUnits = async () => {
    const isUp = async () =>
      (await guest.run("systemctl is-active qvd-db qvd-node qvd-admin && qvd node status --json")).exitCode <
      2;
    expect(await waitFor(isUp, { timeoutMs: STEP_MS, everyMs: 1_000 })).toBe(true);
  };

  test(
    "has control groups of version 2 alone and nothing of ours to begin with",
    async () => {
      expect(await guest.must("mount -t cgroup2 | wc -l")).toBe("1\n");
      expect(await guest.must("mount -t cgroup | wc -l")).toBe("0\n");
      expect((await guest.run("ls /opt/qvd /var/lib/qvd /etc/qvd")).exitCode).not.toBe(0);
    },
    TEST_MS,
  );

  test(
    "is installed by one command, which shows the first administrator's password",
    async () => {
      const said = await guest.must("cd /srv/given && script/install --lxc-only", STEP_MS);
      adminPassword = /admin\s+(\S{20,})/.exec(said)?.[1] ?? "";
      expect(adminPassword).not.toBe("");
      await awaitRunningUnits();
      // Emulated, a desktop may take longer than the minute that it has.
      await guest.must("echo QVD_START_TIMEOUT=600 >>/etc/qvd/qvd.conf; systemctl restart qvd-node", STEP_MS);
      await awaitRunningUnits();
      const again = await guest.must("cd /srv/given && script/install --lxc-only", STEP_MS);
      expect(again).not.toContain("admin  ");
      expect((await guest.must("systemctl --failed --no-legend")).trim()).toBe("");
    },
    TEST_MS,
  );

  test(
    "passes the contract of the LXC driver",
    async () => {
      const result = await guest.run(
        `mkdir -p /root/qvd /root/above /root/work
mountpoint -q /root/qvd || mount -t overlay -o lowerdir=/srv/given,upperdir=/root/above,workdir=/root/work overlay /root/qvd
cd /root/qvd && QVD_TEST_PATIENCE_MS=120000 .tools/bin/bun test --timeout 400000 test/system/hypervisor-lxc.test.ts 2>&1 | tail -60`,
        STEP_MS,
      );
      expect(result.stdout).toContain(" 0 fail");
      // Rules that were left out would be no proof either.
      expect(result.stdout).toMatch(/\n *[1-9]\d* pass\n/);
      expect(result.stdout).not.toMatch(/\d skip/);
    },
    TEST_MS,
  );

  test(
    "has a person sign in, see the desktop, leave and come back",
    async () => {
      await qvd("osf create small --memory 1024 --cpus 4");
      await qvd("image add /srv/given/desktop.tar.zst --osf small --version 1 --tag default");
      await qvd("user create anna", "a-long-password\n");
      await qvd("vm create anna-desktop --user anna --osf small");
      const vms: { id: number }[] = JSON.parse(await qvd("vm list --json"));
      anna = { login: "anna", password: "a-long-password", vmId: vms[0]?.id ?? 0 };
      const isUnpacked = async () => (await guest.run("ls -d /var/lib/qvd/bases/[0-9]*")).exitCode === 0;
      expect(await waitFor(isUnpacked, { timeoutMs: STEP_MS, everyMs: 5_000 })).toBe(true);
      const first = await Visit.open(screen, PORTS.broker, anna, LOOK);
      await first.type(TYPED);
      expect(await waitFor(isTyped, { timeoutMs: STEP_MS, everyMs: 2_000 })).toBe(true);
      await first.leave();
      await (await Visit.open(screen, PORTS.broker, anna, LOOK)).leave();
    },
    TEST_MS,
  );

  test(
    "keeps desktop and session over a restart and an upgrade of the node",
    async () => {
      const visit = await Visit.open(screen, PORTS.broker, anna, LOOK);
      const init = await guest.must("cat /sys/fs/cgroup/qvd/c/*/cgroup.procs | head -n 1");
      await guest.must("systemctl restart qvd-node", STEP_MS);
      // Another executable, as an upgrade has: its revision reads differently.
      await guest.must(
        `cd /root/qvd && revision=$(dist/qvd version | grep -oE '[0-9a-f]{9}') && sed -i "s/$revision/feedbeef0/g" dist/qvd && script/install --lxc-only`,
        STEP_MS,
      );
      await awaitRunningUnits();
      expect(await guest.must("qvd node status")).toContain("feedbeef0");
      expect(await guest.must("cat /sys/fs/cgroup/qvd/c/*/cgroup.procs | head -n 1")).toBe(init);
      expect(visit.isOver).toBe(false);
      await visit.leave();
    },
    TEST_MS,
  );

  test(
    "stops its desktops when it goes down, and has people sign in again after a reboot",
    async () => {
      await guest.reboot();
      await awaitRunningUnits();
      const said = await guest.must("journalctl -b -1 -u qvd-node -o cat");
      // It is the journal of a node that went down, and in time.
      expect(said.trim().split("\n").slice(-4).join("\n")).toContain("Deactivated successfully");
      expect(said).not.toContain("desktops-not-stopped");
      await (await Visit.open(screen, PORTS.broker, anna, LOOK)).leave();
      expect(await isTyped()).toBe(true);
    },
    TEST_MS,
  );

  test(
    "is rid of all but data when it is removed, and goes on with them when it is installed again",
    async () => {
      const said = await guest.run("cd /srv/given && script/install --remove", STEP_MS);
      expect(said).toMatchObject({ exitCode: 0 });
      expect(said.stderr).toContain("/var/lib/qvd");
      const left =
        await guest.must(`ls -d /opt/qvd /usr/local/bin/qvd /etc/systemd/system/qvd-* /run/qvd /sys/fs/cgroup/qvd \\
  /etc/logrotate.d/qvd /etc/sysctl.d/60-qvd.conf 2>/dev/null
ip -br link | grep qvd; nft list tables | grep qvd; pgrep -af 'qvd|dnsmasq|postgres'; true`);
      expect(left).toBe("");
      await guest.must("mount -o ro,loop /var/lib/qvd/homes/*.img /mnt");
      expect(await isTyped("/mnt/home")).toBe(true);
      await guest.must("umount /mnt");
      await guest.must("cd /srv/given && script/install --lxc-only", STEP_MS);
      await awaitRunningUnits();
      const { status } = await askOnce(PORTS.broker, anna, STEP_MS);
      expect(status).toBe(101);
    },
    TEST_MS,
  );
});
