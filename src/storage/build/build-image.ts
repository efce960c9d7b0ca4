/**
 * Builds an image archive from a recipe. The recipe may be a stranger's: its text was parsed, its files are
 * packed here without following a link, and everything that runs is in the build account's confinement. The
 * agent is not in an image: a desktop gets that from its node.
 */

import { chmod, chown, mkdir, mkdtemp, rename, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { AppError } from "../../lib/errors.ts";
import { LineSplitter } from "../../lib/lines.ts";
import { CLEAN_ENV, runOk } from "../../lib/run.ts";
import { buildConfinement } from "./build-confinement.ts";
import { describeFailure } from "./describe-failure.ts";
import { listSources, readAptProxies } from "./list-sources.ts";
import { planBuild, type StagedStory, stepOf } from "./plan-build.ts";
import { readAsOwner } from "./read-as-owner.ts";
import type { FoundRecipe } from "./read-recipe.ts";
import { formatApplication } from "./recipe.ts";

export type BuildOptions = {
  readonly stories: readonly FoundRecipe[];
  /** The archive that is written, `….tar.zst`; replaced only when the build has succeeded. */
  readonly output: string;
  /** Who builds: ids of the account `qvd-image`. */
  readonly account: { readonly uid: number; readonly gid: number };
  /** Folders of this box that the build shall not see. */
  readonly covered: readonly string[];
  readonly onStep: (words: string) => void;
  readonly signal: AbortSignal;
};

const TIMEOUT_MS = 60 * 60_000;
const SAID_LINES = 30;
/** So that the same packages give the same bytes. */
const EPOCH = "1700000000";

/** Returns the archive's size. `driver-failed` with mmdebstrap's last words when Debian's packages don't go together. */
export async function buildImage(options: BuildOptions): Promise<{ readonly sizeBytes: number }> {
  const { output, account, signal } = options;
  await mkdir(dirname(output), { recursive: true });
  const work = await mkdtemp(`${dirname(output)}/.${basename(output)}.`);
  try {
    // The account enters, and writes into `out` only.
    await chmod(work, 0o711);
    // Entered by the ids of its user namespace as well.
    await mkdir(`${work}/out`, { mode: 0o711 });
    await chmod(`${work}/out`, 0o711);
    await chown(`${work}/out`, account.uid, account.gid);
    const stories: StagedStory[] = [];
    for (const [index, story] of options.stories.entries())
      stories.push(await stage(story, `${work}/story${index}`));
    const recipes = options.stories.map(({ recipe }) => recipe);
    const plan = planBuild(recipes, { folder: work, stories, output: `${work}/out/image.tar` });
    await writeFile(`${work}/sources.list`, `${await listSources(plan.suite)}\n`);
    await writeFile(`${work}/apt.conf`, await readAptProxies());
    await runBuilder(options, work, plan.command);
    options.onStep("compressing");
    const packed = `${work}/image.tar.zst`;
    await runOk(
      "compressing the image",
      ["/usr/bin/zstd", "-q", "-3", "-T0", `${work}/out/image.tar`, "-o", packed],
      {
        timeoutMs: TIMEOUT_MS,
        signal,
      },
    );
    signal.throwIfAborted();
    await rename(packed, output);
    return { sizeBytes: (await stat(output)).size };
  } finally {
    await runOk("removing the build's folder", ["/usr/bin/rm", "-rf", "--one-file-system", "--", work]);
  }
}

/** Lays a story's files and script where the account can read them and nobody change them. */
async function stage({ recipe, folder }: FoundRecipe, into: string): Promise<StagedStory> {
  await mkdir(`${into}/menu/usr/share/applications`, { recursive: true });
  for (const application of recipe.applications)
    await writeFile(
      `${into}/menu/usr/share/applications/${application.id}.desktop`,
      formatApplication(application),
    );
  const hasMenu = recipe.applications.length > 0;
  const filesTar = recipe.files === undefined && !hasMenu ? undefined : `${into}/files.tar`;
  if (filesTar !== undefined && recipe.files !== undefined)
    await readAsOwner(folder, [...PACK, "--create", "-C", `./${recipe.files}`, "."], filesTar);
  if (filesTar !== undefined && hasMenu)
    await runOk("packing the recipe's menu", [
      ...[...PACK, recipe.files === undefined ? "--create" : "--append"],
      ...[`--file=${filesTar}`, "-C", `${into}/menu`, "."],
    ]);
  if (recipe.customize === undefined) return { filesTar, customize: undefined };
  const customize = `${into}/customize`;
  await readAsOwner(folder, ["/usr/bin/cat", "--", recipe.customize], customize);
  return { filesTar, customize };
}

const PACK = [
  ...["/usr/bin/tar", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", `--mtime=@${EPOCH}`],
  "--mode=u+rw,go+r,go-w,a+X",
];

async function runBuilder(options: BuildOptions, work: string, command: readonly string[]): Promise<void> {
  const confinement = await buildConfinement({ workFolder: work, alsoCovered: options.covered });
  const child = Bun.spawn([...confinement, ...command], {
    env: { ...CLEAN_ENV, HOME: `${work}/out`, TMPDIR: `${work}/out`, SOURCE_DATE_EPOCH: EPOCH },
    cwd: `${work}/out`,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    signal: options.signal,
  });
  const said: string[] = [];
  const splitter = new LineSplitter(16 * 1024);
  for await (const chunk of child.stderr)
    for (const line of splitter.push(chunk)) {
      if (line === null) continue;
      said.push(line);
      if (said.length > SAID_LINES) said.shift();
      const step = stepOf(line);
      if (step !== undefined) options.onStep(step);
    }
  const exitCode = await child.exited;
  options.signal.throwIfAborted();
  if (exitCode === 0) return;
  throw new AppError("driver-failed", `building the image: ${describeFailure(exitCode, said)}`);
}
