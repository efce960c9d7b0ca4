/** What administrators are told to type is there: commands with their options, settings of the site, headings that links name. */

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { findCommand } from "../../src/cli/find-command.ts";
import { findSettingName } from "../../src/domain/setting/registry.ts";
import { expectNone } from "./expect-none.ts";
import { listFiles } from "./tree.ts";

const ROOT = join(import.meta.dir, "../..");
const PAGES = [...listFiles(ROOT, "docs"), ...listFiles(ROOT, "changelog"), "README.md"]
  .filter((path) => path.endsWith(".md"))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

/** Words of command lines after `qvd`, between backticks or in an indented block, without their comments. */
function listTyped(text: string): string[][] {
  const typed = text.split("\n").flatMap((line) => {
    const spans = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
    return /^ {4}/.test(line) ? [...spans, line.replace(/\s#.*$/, "")] : spans;
  });
  return typed
    .flatMap((span) => [...span.matchAll(/(?:^\s*|[|;&]\s*|do )qvd ([a-z][^|;&]*)/g)])
    .map((match) =>
      (match[1] ?? "")
        .replaceAll(/'[^']*'|"[^"]*"/g, "VALUE")
        .trim()
        .split(/\s+/),
    );
}

async function faultOf(words: readonly string[]): Promise<string | undefined> {
  const found = findCommand(COMMANDS, words);
  if (found.kind === "unknown") return "is no command";
  if (found.kind === "group") return undefined;
  const { options = {} } = await found.entry.load();
  const wrong = found.rest
    .flatMap((word) => /^\[?--([a-z0-9-]+)/.exec(word)?.[1] ?? [])
    .find((name) => name !== "help" && !(name in options));
  if (wrong !== undefined) return `has no option --${wrong}`;
  const [setting = ""] = found.rest;
  const isOfSetting = /^config (get|set|unset)$/.test(found.entry.name) && /^[a-z]/.test(setting);
  return isOfSetting && findSettingName(setting) === undefined ? `names no setting: ${setting}` : undefined;
}

test("commands in papers are there, with their options", async () => {
  const told = PAGES.flatMap(({ path, text }) => listTyped(text).map((words) => ({ path, words })));
  expect(told.length).toBeGreaterThan(200);
  const breaches = await Promise.all(
    told.map(async ({ path, words }) => {
      const fault = await faultOf(words);
      return fault === undefined ? [] : [`${path}: qvd ${words.join(" ")}: ${fault}`];
    }),
  );
  expectNone([...new Set(breaches.flat())]);
});

test("headings that links name are there", () => {
  const breaches = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)].flatMap(([, file = "", anchor = ""]) => {
      const target = join(ROOT, file === "" ? path : join(dirname(path), file));
      if (!existsSync(target) || !target.endsWith(".md")) return [];
      return listAnchors(readFileSync(target, "utf8")).includes(anchor)
        ? []
        : [`${path} links to ${file}#${anchor}, which isn't there`];
    }),
  );
  expectNone(breaches);
});

/** As forges make them of headings. */
function listAnchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("a command that isn't there, or an option, is found", async () => {
  const faults = ["vm explode ann", "vm explain ann --loud", "config set auth.nothing 1", "vm stop"].map(
    (line) => faultOf(line.split(" ")),
  );
  expect(await Promise.all(faults)).toEqual([
    "is no command",
    "has no option --loud",
    "names no setting: auth.nothing",
    undefined,
  ]);
});
