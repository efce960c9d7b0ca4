/**
 * Compiles the one executable, dist/qvd: every mode, asset and migration in it. It runs on a Linux that has
 * neither Bun nor Node, and reads nothing of the folder that it is started in.
 */

import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "./src/lib/run.ts";

const ROOT = import.meta.dir;
const OUT = join(ROOT, "dist");

// `build.ts [VERSION FILE [TARGET]]`: another version in another file, for tests of upgrades; for another kind of machine (`bun-darwin-arm64`).
const [
  version = (await Bun.file(join(ROOT, "package.json")).json()).version,
  file = join(OUT, "qvd"),
  target,
] = process.argv.slice(2);
// Of whomever the tree is: git tells root nothing of another account's by itself.
const git = ["git", "-c", "safe.directory=*", "-C", ROOT];
const revision = (await run([...git, "rev-parse", "--short=9", "HEAD"])).stdout.trim();

await mkdir(OUT, { recursive: true });
// In a folder of its own: the compiler leaves source maps beside what it writes.
const work = await mkdtemp(join(OUT, ".build-"));
try {
  const kind = target === undefined ? "--bytecode" : `--target=${target}`;
  const flags = ["--compile", "--minify", kind, "--format=esm", "--sourcemap"];
  // Lazily imported modes stay chunks of their own: the agent in a desktop never parses the others.
  const lazy = ["--splitting"];
  // A daemon of root must not run a bunfig.toml or read an .env of the folder it is started in.
  const closed = ["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const defined = [
    ...["--define", `QVD_VERSION=${JSON.stringify(version)}`],
    ...["--define", `QVD_REVISION=${JSON.stringify(revision)}`],
  ];
  const command = [
    process.execPath,
    "build",
    join(ROOT, "src/main.ts"),
    ...flags,
    ...lazy,
    ...closed,
    ...defined,
  ];
  const made = join(work, basename(file));
  const built = await run([...command, "--outfile", made], {
    cwd: ROOT,
    // Another machine's runtime is fetched first.
    timeoutMs: target === undefined ? 120_000 : 600_000,
    env: { HOME: process.env.HOME ?? "/root" },
  });
  if (built.exitCode !== 0) {
    process.stderr.write(built.stderr || built.stdout);
    process.exit(1);
  }
  await rename(made, file);
} finally {
  await rm(work, { recursive: true, force: true });
}
