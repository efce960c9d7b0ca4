/**
 * A root file system just big enough for the container tests, put together from this machine's own shell,
 * tools and libraries in some milliseconds: nothing to download, nothing to cache.
 */

import { chmod, cp, mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { runOk } from "../../src/lib/run.ts";

const PROGRAMS = [
  ...[
    "dash",
    "bash",
    "sleep",
    "mkdir",
    "cat",
    "ls",
    "wc",
    "mv",
    "rm",
    "id",
    "stat",
    "touch",
    "chmod",
    "chown",
  ],
  ...["dd", "df", "cp", "env", "setsid", "kill", "grep", "hostname", "true", "su", "mknod"],
];

/** Fills `folder`, which must be empty or missing. */
export async function makeTinyRoot(folder: string): Promise<void> {
  for (const name of [
    "etc",
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/lib64",
    "root",
    "home",
    "tmp",
    "var/log",
    "dev",
    "proc",
    "sys",
    "run",
  ])
    await mkdir(`${folder}/${name}`, { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) await symlink(`usr/${name}`, `${folder}/${name}`);
  const libraries = new Set<string>();
  for (const name of PROGRAMS) {
    const source = await realpath(`/usr/bin/${name}`);
    await cp(source, `${folder}/usr/bin/${name}`);
    const linked = await runOk(`reading the libraries of ${name}`, ["/usr/bin/ldd", source]);
    for (const match of linked.matchAll(/(\/lib\S+)/g)) if (match[1] !== undefined) libraries.add(match[1]);
  }
  for (const library of libraries) {
    await mkdir(dirname(`${folder}/usr${library}`), { recursive: true });
    await cp(await realpath(library), `${folder}/usr${library}`);
  }
  await symlink("dash", `${folder}/usr/bin/sh`);
  await chmod(`${folder}/usr/bin/su`, 0o4755);
  await chmod(`${folder}/tmp`, 0o1777);
  await writeFile(
    `${folder}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
  );
}

/** Packs `folder` as an image; the name's ending picks the compression. */
export async function packRoot(folder: string, archivePath: string): Promise<void> {
  const command = [
    ...["/usr/bin/tar", "--create", "--auto-compress", "--numeric-owner", "--xattrs", "--xattrs-include=*"],
    ...["--owner=0", "--group=0", "-C", folder, "-f", archivePath, "."],
  ];
  await runOk("packing the tiny root", command, { timeoutMs: 300_000 });
}
