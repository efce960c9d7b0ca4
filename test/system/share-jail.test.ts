/** The jail of a shared folder, by OpenSSH's own sftp as a desktop that wants out, and as a person without rights. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { run } from "../../src/lib/run.ts";

/** Debian's `nobody`. */
const UID = 65534;
const BUILD = `import { buildJail, requireJail } from "${new URL("../../src/client/channels/share-jail.ts", import.meta.url).pathname}";
const [path, isReadOnly, folder] = process.argv.slice(1);
const share = { path, isReadOnly: isReadOnly === "yes" };
await requireJail(share, folder);
console.log((await buildJail(share, folder)).join(" "));`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/qvd-jail-");
  for (const part of ["share", "share/sub", "view", "got"]) await mkdir(`${folder}/${part}`);
  await writeFile(`${folder}/secret`, "the person's own\n");
  await writeFile(`${folder}/share/letter`, "dear desk\n");
  await symlink("../secret", `${folder}/share/near`);
  await symlink(`${folder}/secret`, `${folder}/share/far`);
  await symlink("/proc/self/root", `${folder}/share/root`);
  for (const part of ["", "/share", "/share/sub", "/view", "/got", "/share/letter"])
    await chown(`${folder}${part}`, UID, UID);
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const AS_PERSON = ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"];

async function sftp(isReadOnly: boolean, ...lines: readonly string[]): Promise<string> {
  const build = [
    process.execPath,
    "-e",
    BUILD,
    `${folder}/share`,
    isReadOnly ? "yes" : "no",
    `${folder}/view`,
  ];
  const built = await run([...AS_PERSON, ...build], { cwd: folder });
  expect(built.stderr).toBe("");
  const batch = `${folder}/got/batch`;
  await writeFile(batch, lines.map((line) => `-${line}\n`).join(""));
  const asked = ["sftp", "-D", built.stdout.trim(), "-b", batch];
  const { stdout, stderr } = await run([...AS_PERSON, ...asked], { cwd: `${folder}/got` });
  return `${stdout}\n${stderr}`;
}

describe("a shared folder", () => {
  test("is read and written", async () => {
    await sftp(false, "get letter letter", "put batch sub/made", "rename sub/made sub/kept", "rm letter");
    expect(await readFile(`${folder}/got/letter`, "utf8")).toBe("dear desk\n");
    expect(await readFile(`${folder}/share/sub/kept`, "utf8")).toContain("put batch");
    expect(await Bun.file(`${folder}/share/letter`).exists()).toBe(false);
  });

  test.each(["near", "far", "../secret", "root/etc/hostname", "/etc/hostname", "/proc/1/environ", "/home"])(
    "is where the desktop ends: %s leads nowhere",
    async (path) => {
      expect(await sftp(false, `get ${path} out`)).toMatch(/not found|No such file/);
      expect(await Bun.file(`${folder}/got/out`).exists()).toBe(false);
    },
  );

  test("shows nothing of the person beside it", async () => {
    const said = await sftp(false, "ls -1 /", "ls -1 /usr", "ls -1 /etc");
    const shown = said.split("\n").filter((line) => line.startsWith("/"));
    expect(shown.sort()).toEqual([
      "/dev",
      "/etc",
      "/etc/passwd",
      "/lib",
      "/lib64",
      "/share",
      "/usr",
      "/usr/lib",
    ]);
  });

  test("takes no links, which the person's own programs would follow", async () => {
    expect(await sftp(false, "symlink /etc planted", "ln sub/kept twice")).toMatch(
      /denied[\s\S]*(denied|does not support)/i,
    );
    expect(await Bun.file(`${folder}/share/twice`).exists()).toBe(false);
  });

  test("takes nothing at all where it is to be read only", async () => {
    const said = await sftp(true, "put batch more", "rm sub/kept", "mkdir made", "chmod 777 sub/kept");
    expect(said.match(/denied/gi)?.length).toBeGreaterThanOrEqual(4);
    expect(await Bun.file(`${folder}/share/more`).exists()).toBe(false);
    expect(await Bun.file(`${folder}/share/sub/kept`).exists()).toBe(true);
  });
});
