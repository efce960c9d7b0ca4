/**
 * The words that make mmdebstrap build an image. Pure: where the sources come from, who runs it and where the
 * result goes is decided elsewhere.
 */

import type { Recipe } from "./recipe.ts";
import { jailScript } from "./script-jail.ts";

/** Change it when the same recipe gives another image: what is cached under the old one is built again. */
export const BUILDER_VERSION = "2";

export type BuildPlan = {
  readonly suite: string;
  readonly packages: readonly string[];
  readonly command: readonly string[];
};

/** What lies in the work folder for each story: prepared by the builder, read by mmdebstrap. */
export type StagedStory = {
  /** A tar of what is laid over the root. */
  readonly filesTar: string | undefined;
  /** Script to be run inside the new root. */
  readonly customize: string | undefined;
};

const KEPT_LANGUAGES = ["en", "es", "de", "fr"];
export const SCRIPT_INSIDE = "/qvd-customize";
/**
 * While all that is there is Debian's: afterwards no program of the builder's reads what the recipe laid there. The
 * building machine's ways to Debian go too: its mirrors' and proxies' addresses may hold passwords. Its own name and name servers are nobody's business either.
 */
function cleanApt(suite: string): readonly string[] {
  const debian = "http://deb.debian.org";
  const sources = [
    ...[`deb ${debian}/debian ${suite} main`, `deb ${debian}/debian ${suite}-updates main`],
    `deb ${debian}/debian-security ${suite}-security main`,
  ];
  return [
    'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin',
    'rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/sources.list.d/* "$1"/etc/hostname "$1"/etc/resolv.conf',
    `printf '%s\\n' ${sources.map((line) => `'${line}'`).join(" ")} > "$1"/etc/apt/sources.list`,
  ];
}

export function planBuild(
  recipes: readonly Recipe[],
  work: { readonly folder: string; readonly stories: readonly StagedStory[]; readonly output: string },
): BuildPlan {
  const suite = recipes.findLast(({ suite }) => suite !== undefined)?.suite ?? "bookworm";
  const packages = [...new Set(recipes.flatMap(({ packages }) => packages))];
  const command = [
    ...["/usr/bin/mmdebstrap", "--variant=minbase", "--mode=unshare", "--format=tar"],
    // It would run apt with the settings that it finds in the new root, and those name programs to run.
    "--skip=cleanup/apt",
    ...apt(`${work.folder}/apt.conf`).map((option) => `--aptopt=${option}`),
    ...leftOut().map((option) => `--dpkgopt=${option}`),
    ...(packages.length === 0 ? [] : [`--include=${packages.join(",")}`]),
    ...[...cleanApt(suite), ...work.stories.flatMap(hooksOf)].map((hook) => `--customize-hook=${hook}`),
    ...[suite, work.output, `${work.folder}/sources.list`],
  ];
  return { suite, packages, command };
}

function apt(ownFile: string): readonly string[] {
  return ['APT::Install-Recommends "false"', 'Acquire::Languages "none"', 'Acquire::Retries "3"', ownFile];
}

/** What nobody reads in a desktop: half of the image's size. */
function leftOut(): readonly string[] {
  return [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
    ...KEPT_LANGUAGES.map((language) => `path-include=/usr/share/locale/${language}/*`),
  ];
}

/** The script may be anybody's. */
function hooksOf(story: StagedStory): readonly string[] {
  const { filesTar, customize } = story;
  return [
    ...(filesTar === undefined ? [] : [`tar-in ${filesTar} /`]),
    ...(customize === undefined
      ? []
      : [`upload ${customize} ${SCRIPT_INSIDE}`, jailScript(SCRIPT_INSIDE), `rm "$1${SCRIPT_INSIDE}"`]),
  ];
}

/** What mmdebstrap says of its progress, in words for a person; undefined for what is not a step. */
export function stepOf(line: string): string | undefined {
  const said = /^I: (.+)$/.exec(line)?.[1] ?? "";
  const step = STEPS.find(([begin]) => said.startsWith(begin));
  return step?.[1];
}

const STEPS: readonly (readonly [begin: string, words: string])[] = [
  ["running apt-get update", "reading the package lists"],
  ["downloading packages", "fetching the base system"],
  ["extracting archives", "unpacking the base system"],
  ["installing essential", "installing the base system"],
  ["installing remaining", "fetching and installing the packages"],
  ["running --customize-hook", "customizing"],
  ["cleaning package lists", "cleaning up"],
  ["creating tarball", "writing the archive"],
];
