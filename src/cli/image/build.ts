import { readFileSync } from "node:fs";
import { access, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../../lib/errors.ts";
import { buildImage } from "../../storage/build/build-image.ts";
import { BUILDER_VERSION } from "../../storage/build/plan-build.ts";
import { type FoundRecipe, hashRecipes, readRecipes } from "../../storage/build/read-recipe.ts";
import { withFileLock } from "../../storage/file-lock.ts";
import { openLibc } from "../../storage/libc.ts";
import { readImageAccount } from "../accounts.ts";
import { flag, positional, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command, CommandArgs, CommandIo } from "../command.ts";
import { openMode, requireRoot } from "../mode.ts";
import { ENROL_OPTIONS, enrol, findOrCreateOsf, requireAgreement } from "./enrol.ts";
import { sendFile } from "./send-file.ts";

/** Where recipes that come with QVD lie, seen from the executable and where packages put them. */
const INSTALLED = [
  "../share/qvd/images",
  "../appliance/images",
  "/usr/share/qvd/images",
  "/usr/local/share/qvd/images",
];
const CACHE = "/var/cache/qvd/images";
const LOCK_MS = 90 * 60_000;

export const imageBuild: Command = {
  name: "image build",
  summary: "Build an image archive from a recipe, and enrol it if wanted.",
  positionals: ["RECIPE"],
  options: {
    output: { type: "text", value: "FILE", doc: "Where the archive goes, a .tar.zst; default: the cache." },
    cache: {
      type: "text",
      value: "FOLDER",
      doc: `Folder of archives that are taken as they are while their recipe is the same; default: ${CACHE}.`,
    },
    enrol: { type: "text", value: "OSF", doc: "Send it to the server as a new version of this OS flavour." },
    ...ENROL_OPTIONS,
    ...JSON_OPTION,
  },
  details: [
    "RECIPE is a folder with a recipe.toml, or the name of one that comes with QVD: light, office, developer. What",
    "it asks for is put together from this machine's own sources of Debian packages, by an account that owns",
    "nothing, in a view of this machine without anybody's data; its own script has no network either. The path",
    "of the archive is printed. It needs root, mmdebstrap and the account qvd-image.",
  ].join("\n"),
  examples: [
    "qvd image build office --enrol office --create-osf --publish",
    "qvd image build ./our-desktop --output our-desktop.tar.zst",
  ],
  async run(io, args) {
    requireRoot("building an image");
    requireAgreement(args);
    const stories = await readRecipes(await findRecipe(positional(args, 0, "RECIPE")));
    const flavour = textOption(args, "enrol");
    // A refusal now is better than one after minutes.
    const api = flavour === undefined ? undefined : await openApi(io.env);
    const osf =
      api === undefined || flavour === undefined
        ? undefined
        : await findOrCreateOsf(api, flavour, flag(args, "create-osf"));
    if (osf?.hypervisor === "kvm")
      throw new AppError(
        "bad-input",
        `a recipe becomes an archive for containers, and ${osf.name} is of virtual machines: their image is a disk (docs/operations/machines.md)`,
      );
    const archive = await buildOrTake(io, args, stories);
    if (api === undefined || osf === undefined) {
      if (args.options.json) printJson(io, { archive });
      else io.out(`${archive}\n`);
      return 0;
    }
    const source = await sendFile(io, api, archive);
    const image = await enrol(io, api, { osfId: osf.id, source, args });
    if (args.options.json) printJson(io, image);
    return 0;
  },
};

/** A path is taken as such; a bare name is looked for here first, then among those that come with QVD. */
async function findRecipe(text: string): Promise<string> {
  const places = text.includes("/")
    ? [text]
    : [text, ...INSTALLED.map((at) => join(resolve(dirname(process.execPath), at), text))];
  for (const place of places) {
    const isThere = await access(`${place}/recipe.toml`).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  throw new AppError(
    "not-found",
    `there is no recipe ${text}: a recipe is a folder with a recipe.toml; looked at ${places.join(", ")}`,
  );
}

async function buildOrTake(
  io: CommandIo,
  args: CommandArgs,
  stories: readonly FoundRecipe[],
): Promise<string> {
  const output = textOption(args, "output");
  if (output !== undefined) {
    await build(io, stories, resolve(output));
    return resolve(output);
  }
  const folder = resolve(textOption(args, "cache") ?? CACHE);
  const name = stories.at(-1)?.recipe.name ?? "image";
  const archive = `${folder}/${name}-${await hashRecipes(stories, BUILDER_VERSION)}.tar.zst`;
  if (await isThere(archive)) return archive;
  await mkdir(folder, { recursive: true });
  const lock = { path: `${folder}/.${name}.lock`, timeoutMs: LOCK_MS, signal: io.signal };
  await withFileLock(openLibc(), lock, async () => {
    // Whoever had the lock may have built it.
    if (await isThere(archive)) return;
    await build(io, stories, archive);
    await removeOlder(folder, name, archive);
  });
  return archive;
}

async function build(io: CommandIo, stories: readonly FoundRecipe[], output: string): Promise<void> {
  const { config, layout } = openMode(io);
  const startedMs = performance.now();
  const seconds = () => Math.round((performance.now() - startedMs) / 1000);
  const name = stories.at(-1)?.recipe.name ?? "image";
  io.err(`building ${name}, which takes some minutes\n`);
  const covered = [config.stateFolder, config.sharedFolder, layout.runFolder].filter((path) => path !== "");
  const { sizeBytes } = await buildImage({
    ...{ stories, output, covered, signal: io.signal },
    account: readImageAccount(readFileSync("/etc/passwd", "utf8")),
    onStep: (words) => io.err(`${String(seconds()).padStart(4)} s  ${words}\n`),
  });
  io.err(`${name} is ready after ${seconds()} s, ${Math.ceil(sizeBytes / 1e6)} MB\n`);
}

/** Only the newest of each recipe is worth its space. */
async function removeOlder(folder: string, name: string, newest: string): Promise<void> {
  const pattern = new RegExp(`^${name}-[0-9a-f]{16}\\.tar\\.zst$`);
  for (const entry of await readdir(folder))
    if (pattern.test(entry) && `${folder}/${entry}` !== newest)
      await rm(`${folder}/${entry}`, { force: true });
}

async function isThere(path: string): Promise<boolean> {
  return (await Bun.file(path).exists()) && Bun.file(path).size > 0;
}
