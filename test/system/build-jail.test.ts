/**
 * What a hostile recipe's script can do while an image is built: each way out that root of a user namespace knows
 * is tried for real, in the confinement and by the very words that the builder runs it with.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { buildConfinement } from "../../src/storage/build/build-confinement.ts";
import { jailScript } from "../../src/storage/build/script-jail.ts";

const MARK = "qvd-mark-of-the-host";
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-jail-");
  await chmod(scratch, 0o755);
  await writeFile(`${scratch}/${MARK}`, "anybody on the host may read this");
  await mkdir(`${scratch}/root`);
  await chmod(`${scratch}/root`, 0o777);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** As mmdebstrap does: a user namespace with a root of its own, a /proc below the new root, a socket inherited. */
const LIKE_MMDEBSTRAP = [
  'cd "$1" && mkdir usr proc dev tmp && mount --rbind /usr usr && mount --rbind /dev dev && ln -sf usr/bin usr/lib usr/lib64 usr/sbin .',
  'mount -t proc proc proc && exec 7<"$2" && export MMDEBSTRAP_HOOKSOCK=7 && printf %s "$4" >script',
  'sh -c "$3" hook "$1"',
].join(" && ");

async function runScript(hook: string, script: string): Promise<string> {
  const words = await buildConfinement({ workFolder: scratch, alsoCovered: [] });
  const enter = [
    "/usr/bin/unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "--pid",
    "--fork",
    "--propagation=private",
  ];
  const root = `${scratch}/root`;
  await rm(root, { recursive: true, force: true });
  await mkdir(root);
  await chmod(root, 0o777);
  const command = ["/bin/sh", "-c", LIKE_MMDEBSTRAP, "sh", root, `${scratch}/${MARK}`, hook, script];
  const { stdout, stderr } = await run([...words, ...enter, ...command]);
  return stdout + stderr;
}

/** Each prints "got out" where it does. */
const WAYS = {
  "stepping out of the root": `perl -e 'mkdir "/x"; chroot "/x"; chdir ".." for 1..64; chroot "."; print "got out\n" if glob "/var/tmp/qvd-jail-*/${MARK}*"'`,
  "the root of the builder's processes": `perl -e 'for (glob "/proc/[0-9]*/root") { print "got out\n" if glob "$_/var/tmp/qvd-jail-*/${MARK}*" }'`,
  "the folder that the builder works in": `perl -e 'for (glob "/proc/[0-9]*/cwd") { print "got out\n" if -e "$_/../${MARK}" }'`,
  "descriptors of the builder": `perl -e 'for (3..99) { print "got out\n" if readlink("/proc/$$/fd/$_") =~ /${MARK}/ }'`,
  "the builder's environment": "env | grep MMDEBSTRAP && echo got out",
  "the network": '[ "$(grep -c : /proc/net/dev)" -gt 1 ] && echo got out',
  mounting: "mkdir /m; mount -t tmpfs none /m 2>/dev/null && echo got out",
} as const;

test.each(Object.entries(WAYS))("a script doesn't get out by %s", async (_way, script) => {
  const said = await runScript(jailScript("/script"), `${script}\necho ended`);
  expect(said.trim()).toBe("ended");
});

test.each([
  "stepping out of the root",
  "the root of the builder's processes",
  "descriptors of the builder",
  "the builder's environment",
  "mounting",
] as const)("a script does get out of a plain chroot by %s: the trap is real", async (way) => {
  expect(await runScript('unshare --net chroot "$1" /bin/sh /script', WAYS[way])).toContain("got out");
});

test("a script does what finishes a system: owners, modes, files below /etc", async () => {
  const script =
    "set -e; mkdir -p /etc; : >/etc/machine-id; chmod 4755 /etc/machine-id; chown 0:0 /etc; ls -l /etc; test -c /dev/null; date +%Y >/tmp/x";
  expect(await runScript(jailScript("/script"), script)).toContain("-rwsr-xr-x");
});

test("folders of the box are covered by whatever name, those in a folder that is covered already among them", async () => {
  const folder = `${scratch}/box`;
  await mkdir(`${folder}/state/shared`, { recursive: true });
  await writeFile(`${folder}/state/shared/letter`, "mine\n");
  await mkdir(`${folder}/work`);
  await symlink("state", `${folder}/link`);
  const alsoCovered = [`${folder}/link`, `${folder}/state/shared`, `${folder}/state`];
  // By another name as well.
  await symlink("box/work", `${scratch}/work`);
  const words = await buildConfinement({
    workFolder: `${scratch}/work`,
    alsoCovered: [...alsoCovered, folder],
  });
  const look = await run([...words, "/bin/sh", "-c", `ls -A ${folder}; ls -A ${folder}/link`]);
  expect(look).toEqual({ exitCode: 0, stdout: "link\nstate\nwork\n", stderr: "" });
});

test("what is mounted in a covered folder can be unmounted while a build goes on, and its device is free", async () => {
  const covered = `${scratch}-data`;
  await mkdir(`${covered}/home/inner`, { recursive: true });
  const image = `${scratch}/home.img`;
  await runOk("making a disk", ["/usr/bin/truncate", "-s", "16M", image]);
  await runOk("making its file system", ["/usr/sbin/mkfs.ext4", "-q", image]);
  await runOk("mounting it", ["/usr/bin/mount", "-o", "loop", image, `${covered}/home`]);
  await mkdir(`${covered}/home/inner`);
  await runOk("and a part of it", ["/usr/bin/mount", "--bind", `${covered}/home`, `${covered}/home/inner`]);
  const words = await buildConfinement({ workFolder: scratch, alsoCovered: [covered] });
  const build = Bun.spawn([...words, "/bin/sh", "-c", "echo begun; exec sleep 60"], { stdout: "pipe" });
  try {
    await build.stdout.getReader().read();
    for (const folder of [`${covered}/home/inner`, `${covered}/home`])
      await runOk("unmounting", ["/usr/bin/umount", folder]);
    const isFree = async () =>
      (await runOk("looking", ["/usr/sbin/losetup", "--associated", image])).trim() === "";
    expect(await waitFor(isFree, { timeoutMs: 60_000 })).toBe(true);
  } finally {
    build.kill("SIGKILL");
    await build.exited;
    await run(["/usr/bin/umount", "-l", `${covered}/home`]);
    await rm(covered, { recursive: true });
  }
});
