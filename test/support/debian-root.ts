/**
 * Debian root file systems for tests, made by mmdebstrap from this machine's own package sources and kept in the
 * images' cache, by what is in them. The first call takes a minute; QVD_IMAGE_CACHE names another cache.
 */

import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";

export type DebianRoot = {
  readonly name: string;
  readonly packages: readonly string[];
  /** `minbase` has no more than what is named, `apt` can install more. */
  readonly variant: "minbase" | "apt";
  /** Shell commands with the tree as $1, before packages are configured. */
  readonly essentialHook?: string;
};

const SUITE = "bookworm";
const BUILD_TIMEOUT_MS = 600_000;
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Path of the tar archive. */
export async function buildDebianRoot(root: DebianRoot): Promise<string> {
  const cache = process.env.QVD_IMAGE_CACHE ?? "/var/cache/qvd/images";
  const hash = Bun.hash(JSON.stringify([root, SUITE])).toString(16);
  const archive = `${cache}/test-${root.name}-${hash}.tar`;
  if (await Bun.file(archive).exists()) return archive;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(`${cache}/.test-${root.name}-`);
  try {
    await writeFile(`${work}/sources.list`, await listSources());
    await runOk(
      `building the Debian root ${root.name}`,
      [
        ...["/usr/bin/mmdebstrap", "--quiet", `--variant=${root.variant}`, "--mode=root", "--format=tar"],
        ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
        ...["doc", "man", "locale"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
        ...(root.essentialHook === undefined ? [] : [`--essential-hook=${root.essentialHook}`]),
        ...[`--include=${root.packages.join(",")}`, SUITE, `${work}/root.tar`, `${work}/sources.list`],
      ],
      { timeoutMs: BUILD_TIMEOUT_MS },
    );
    await rename(`${work}/root.tar`, archive);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return archive;
}

/** As apt knows them: whatever way this machine reaches Debian is the root's way too. */
export async function listSources(): Promise<string> {
  const listed = await runOk("reading apt's sources", [
    ...["/usr/bin/apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"],
    ...["Identifier: Packages", "Origin: Debian"],
  ]);
  const lines = [...new Set(listed.trim().split("\n"))].filter((line) =>
    line.split(" ")[1]?.startsWith(SUITE),
  );
  return lines.map((line) => `deb [signed-by=${KEYRING}] ${line}\n`).join("");
}
