/**
 * The last line, proved: two machines with kernels of their own over a real NFS server. One is halted while a
 * home of its is being written, longer than its lease; the other takes the home; the first goes on and must not
 * write one block more. And the figures of a home on NFS beside one on the machine's own disk.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { run, runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { type GuestRequest, makeInitrd, type NfsGuest, startGuest } from "../../support/nfs-guests.ts";
import { type NfsServer, startNfsServer } from "../../support/nfs-server.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
const PORT = 20_491;
const LEASE_SECONDS = 10;
const PAUSES_S = [15, 60];
const WRITING_MS = 900_000;
/** Emulated, over a network, beside other work: one synced line may take seconds, but it comes. */
const STALLED_MS = 60_000;

describe.skipIf(!isLong)("homes on NFS (long form: set QVD_TEST_LONG=1)", () => {
  let scratch: string;
  let server: NfsServer;
  let one: NfsGuest;
  let two: NfsGuest;

  beforeAll(async () => {
    scratch = await mkdtemp("/var/tmp/qvd-nfs-");
    server = await startNfsServer({ scratch, port: PORT, leaseSeconds: LEASE_SECONDS });
    const initrd = await makeInitrd(scratch, "test/system/long/nfs-guest.ts");
    [one, two] = await Promise.all([
      startGuest({ scratch, name: "one", initrd, diskMb: 1_024 }),
      startGuest({ scratch, name: "two", initrd, diskMb: 64 }),
    ]);
    for (const guest of [one, two]) await mountShare(guest);
  }, 300_000);

  afterAll(async () => {
    for (const guest of [one, two]) await guest?.kill();
    await server?.stop();
    await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
  }, 60_000);

  test("a home on NFS has its size, direct writes and one holder, who is named", async () => {
    await one.ask({ do: "make", path: "/share/1.img", sizeMb: 128 });
    await one.ask({ do: "mount", path: "/share/1.img", mountPoint: "/home/1" });
    expect(await one.shell("cat /sys/block/loop0/loop/dio /sys/block/loop0/loop/autoclear")).toBe("1\n1\n");
    expect(Number(await one.shell("/usr/bin/df -m --output=size /home/1 | tail -1"))).toBeGreaterThan(100);
    const second = two.ask({ do: "mount", path: "/share/1.img", mountPoint: "/home/1" });
    await expect(second).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("the box one"),
    });
    await one.shell("/usr/bin/umount /home/1");
    await two.ask({ do: "mount", path: "/share/1.img", mountPoint: "/home/1" });
    await two.shell("/usr/bin/umount /home/1");
  }, 600_000);

  test("the figures, told", async () => {
    await one.shell("mkfs.ext4 -q /dev/vda && mount /dev/vda /local");
    const rows: string[] = [];
    for (const [what, path] of [
      ["NFS", "/share/2.img"],
      ["own disk", "/local/2.img"],
    ] as const) {
      await one.ask({ do: "make", path, sizeMb: 256 });
      await one.ask({ do: "mount", path, mountPoint: "/home/2" });
      for (const [kind, folder] of [
        ["image", "/home/2"],
        ["plain", path.replace("/2.img", "")],
      ] as const) {
        const written = await one.shell(
          `/usr/bin/dd if=/dev/zero of=${folder}/big bs=1M count=96 conv=fsync 2>&1 | tail -1`,
        );
        await one.shell("echo 3 >/proc/sys/vm/drop_caches");
        const read = await one.shell(`/usr/bin/dd if=${folder}/big of=/dev/null bs=1M 2>&1 | tail -1`);
        const synced = await one.shell(
          `/usr/bin/dd if=/dev/zero of=${folder}/small bs=4k count=200 oflag=dsync 2>&1 | tail -1`,
        );
        const fsyncMs = (Number(/, ([\d.e-]+) s,/.exec(synced)?.[1]) * 1_000) / 200;
        rows.push(
          `${what} ${kind}: write ${speed(written)}, read ${speed(read)}, 4k sync ${fsyncMs.toFixed(1)} ms`,
        );
        await one.shell(`rm ${folder}/big ${folder}/small`);
      }
      await one.shell("/usr/bin/umount /home/2");
    }
    console.info(rows.join("\n"));
    expect(rows.length).toBe(4);
  }, 1_200_000);

  test.each(PAUSES_S)(
    "a box that sleeps for %d s while its home is taken writes nothing afterwards",
    async (pauseSeconds) => {
      const image = `/share/pause-${pauseSeconds}.img`;
      const mount = { do: "mount", path: image, mountPoint: "/home/p" } as const;
      const log = "/home/p/log";
      await one.ask({ do: "make", path: image, sizeMb: 128 });
      await one.ask(mount);
      const begun = { one: one.events.length, two: two.events.length };
      await one.ask({ do: "write", path: log, owner: "one" });
      expect(await haveLines(one, begun.one, 30)).toBe(true);
      const pausedAtMs = performance.now();
      const takenAfterS = await takeOver(() => one.pause(), mount);
      await two.ask({ do: "write", path: log, owner: "two" });
      await Bun.sleep(Math.max(3_000, pauseSeconds * 1_000 - (performance.now() - pausedAtMs)));
      const before = acknowledged(one, begun.one).length;
      await one.resume();
      const refused = () => one.events.slice(begun.one).find(({ event }) => event === "refused");
      expect(await waitFor(refused, { timeoutMs: 90_000 })).toMatchObject({
        cause: expect.stringMatching(/EIO|EROFS/),
      });
      // What had reached the storage before the pause may be told after it.
      expect(acknowledged(one, begun.one).length - before).toBeLessThanOrEqual(1);
      const whileBothRun = acknowledged(two, begun.two).length;
      expect(await haveLines(two, begun.two, whileBothRun + 30)).toBe(true);
      await one.shell("/usr/bin/umount /home/p");
      await two.ask({ do: "rest" });
      await two.shell("/usr/bin/umount /home/p");
      await expectWhole(`${server.folder}/pause-${pauseSeconds}.img`, {
        one: acknowledged(one, begun.one).length,
        two: acknowledged(two, begun.two).length,
      });
      console.info(
        `asleep for ${pauseSeconds} s: taken over ${takenAfterS.toFixed(1)} s after it fell asleep (lease ${LEASE_SECONDS} s)`,
      );
    },
    WRITING_MS,
  );

  test(
    "a box that is cut from power leaves every acknowledged write to whoever takes over",
    async () => {
      const image = "/share/cut.img";
      const mount = { do: "mount", path: image, mountPoint: "/home/c" } as const;
      await one.ask({ do: "make", path: image, sizeMb: 128 });
      await one.ask(mount);
      const begun = { one: one.events.length, two: two.events.length };
      await one.ask({ do: "write", path: "/home/c/log", owner: "one" });
      expect(await haveLines(one, begun.one, 60)).toBe(true);
      const takenAfterS = await takeOver(() => one.kill(), mount);
      await two.ask({ do: "write", path: "/home/c/log", owner: "two" });
      expect(await haveLines(two, begun.two, 20)).toBe(true);
      await two.ask({ do: "rest" });
      await two.shell("/usr/bin/umount /home/c");
      await expectWhole(`${server.folder}/cut.img`, {
        one: acknowledged(one, begun.one).length,
        two: acknowledged(two, begun.two).length,
      });
      console.info(`cut from power: taken over after ${takenAfterS.toFixed(1)} s (lease ${LEASE_SECONDS} s)`);
    },
    WRITING_MS,
  );

  /** Returns the seconds from one's end, or sleep, until two had mounted the home. */
  async function takeOver(lose: () => Promise<void>, mount: GuestRequest): Promise<number> {
    await lose();
    const lostAtMs = performance.now();
    const isTaken = () =>
      two.ask(mount).then(
        () => true,
        () => false,
      );
    expect(await waitFor(isTaken, { timeoutMs: (LEASE_SECONDS + 30) * 1_000, everyMs: 500 })).toBe(true);
    return (performance.now() - lostAtMs) / 1_000;
  }

  async function mountShare(guest: NfsGuest): Promise<void> {
    const options = `vers=4.2,addr=10.0.2.2,port=${server.port},hard,nosharecache`;
    await guest.shell(`mount -t nfs4 -o ${options} 10.0.2.2:/share /share`);
  }

  /** On the server's own disk: no fault in the file system, and every acknowledged line of both owners. */
  async function expectWhole(path: string, counts: Readonly<Record<string, number>>): Promise<void> {
    await runOk("replaying the journal", ["/usr/sbin/e2fsck", "-p", path]);
    await runOk("looking through the file system", ["/usr/sbin/e2fsck", "-fn", path]);
    const mountPoint = `${scratch}/look`;
    await mkdir(mountPoint, { recursive: true });
    await runOk("mounting it", ["/usr/bin/mount", "-o", "loop,ro", path, mountPoint]);
    const written = (await readFile(`${mountPoint}/log`, "utf8")).trimEnd().split("\n");
    await runOk("unmounting it", ["/usr/bin/umount", mountPoint]);
    const lines = new Set(written);
    // Nobody writes once somebody else has the home: each owner's lines stand together.
    expect(listOwners(written)).toEqual(Object.keys(counts));
    for (const [owner, count] of Object.entries(counts)) {
      const lost = Array.from({ length: count }, (_none, index) => `${owner} ${index + 1}`).filter(
        (line) => !lines.has(line),
      );
      expect(lost).toEqual([]);
    }
  }
});

/** Whose lines follow each other, once for each run of them. */
function listOwners(lines: readonly string[]): string[] {
  const owners = lines.map((line) => line.split(" ")[0] ?? "");
  return owners.filter((owner, index) => owner !== owners[index - 1]);
}

/** True when there are so many, however slowly they come; false when no more come. */
async function haveLines(guest: NfsGuest, from: number, count: number): Promise<boolean> {
  const read = () => acknowledged(guest, from).length;
  for (let seen = read(); seen < count; seen = read())
    if (!(await waitFor(() => read() > seen, { timeoutMs: STALLED_MS }))) return false;
  return true;
}

function acknowledged(guest: NfsGuest, from: number) {
  return guest.events.slice(from).filter(({ event }) => event === "acknowledged");
}

function speed(said: string): string {
  return said.trim().split(", ").at(-1) ?? said;
}
