/**
 * The rules of the house that can be checked, each with its reason in the failure. What they mean stands in
 * docs/architecture.md; who departs is listed with a reason in `architecture/exemptions.ts`.
 */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as exempt from "./architecture/exemptions.ts";
import { expectNone } from "./architecture/expect-none.ts";
import { lineOf } from "./architecture/functions.ts";
import { IMPORT_RULES, type ImportRule, PACKAGE_HOMES } from "./architecture/import-rules.ts";
import { findCycles, type Import, readTree, type SourceFile } from "./architecture/tree.ts";
import { findWrites, judgeWrite } from "./architecture/write-rules.ts";

const ROOT = dirname(import.meta.dir);
const MOST_FILE_LINES = 400;
const MOST_FUNCTION_LINES = 70;
const MOST_LIB_FILES = 15;

const files = readTree(ROOT);
const source = files.filter((file) => !file.isTest);
const product = source.filter((file) => file.path.startsWith("src/"));

/** Breaches of a pattern in masked source, as `path:line why`. */
function findPattern(among: readonly SourceFile[], pattern: RegExp, why: string): string[] {
  return among.flatMap((file) =>
    [...file.bare.matchAll(pattern)].map((match) => `${file.path}:${lineOf(file.bare, match.index)} ${why}`),
  );
}

/** The folder below `src` that a path is in, or its file name when it is in none. */
function layerOf(path: string): string {
  return path.split("/")[1] ?? path;
}

function isForbidden(rule: ImportRule, found: Import): boolean {
  if (found.isTypeOnly && rule.typesAreFine) return false;
  if (!found.isLocal) return rule.mustNotImport.includes(found.target);
  return found.target.startsWith("src/") && rule.mustNotImport.includes(layerOf(found.target));
}

describe("imports", () => {
  test("point one way, as the table says", () => {
    const breaches = product.flatMap((file) =>
      IMPORT_RULES.filter((rule) => rule.from.includes(layerOf(file.path))).flatMap((rule) =>
        file.imports
          .filter((found) => isForbidden(rule, found))
          .filter((found) => exempt.IMPORTS[`${file.path} → ${found.target}`] === undefined)
          .map((found) => `${file.path} imports ${found.target}: ${rule.why}`),
      ),
    );
    expectNone(breaches);
  });

  test("of settings stand only where modes are wired", () => {
    const breaches = product
      .filter((file) => !/^(cli|config|main\.ts)$/.test(layerOf(file.path)))
      .filter((file) => file.imports.some((found) => found.target.startsWith("src/config/")))
      .map((file) => `${file.path} imports config: everything but cli receives values`);
    expectNone(breaches);
  });

  test("of the product never reach into test, bench or script", () => {
    const breaches = product.flatMap((file) =>
      file.imports
        .filter((found) => /^(test|bench|script|appliance)\//.test(found.target))
        .map((found) => `${file.path} imports ${found.target}: the executable holds the product alone`),
    );
    expectNone(breaches);
  });

  test("of a package stand only in its home", () => {
    const breaches = PACKAGE_HOMES.flatMap((home) =>
      product
        .filter((file) => !home.folders.includes(layerOf(file.path)))
        .filter((file) => file.imports.some((found) => found.target === home.name && !found.isTypeOnly))
        .map((file) => `${file.path} imports ${home.name}: ${home.why}`),
    );
    expectNone(breaches);
  });

  test("of values form no cycle", () => {
    expectNone(
      findCycles(source).map((group) => `${group.join(" ")}: a cycle has no bottom to start reading at`),
    );
  });

  test("of local files name a file that is there, with its ending", () => {
    const breaches = files.flatMap((file) =>
      file.imports
        .filter((found) => found.isLocal && !existsSync(join(ROOT, found.target)))
        .map((found) => `${file.path} imports ${found.target}, which isn't there`),
    );
    expectNone(breaches);
  });
});

describe("sizes", () => {
  test(`no file is over ${MOST_FILE_LINES} lines`, () => {
    const breaches = files
      .filter((file) => file.lines > MOST_FILE_LINES && exempt.LONG_FILES[file.path] === undefined)
      .map((file) => `${file.path} has ${file.lines} lines: it is two files`);
    expectNone(breaches);
  });

  test(`no function is over ${MOST_FUNCTION_LINES} lines`, () => {
    const breaches = source.flatMap((file) =>
      file.functions
        .filter((found) => found.lines > MOST_FUNCTION_LINES)
        .filter((found) => exempt.LONG_FUNCTIONS[`${file.path} ${found.name}`] === undefined)
        .map(
          (found) => `${file.path}:${found.line} ${found.name} has ${found.lines} lines: it does two things`,
        ),
    );
    expectNone(breaches);
  });

  test("no function takes more than three parameters and an options object", () => {
    const breaches = source.flatMap((file) =>
      file.functions
        .filter((found) => found.parameters > 4)
        .map(
          (found) =>
            `${file.path}:${found.line} ${found.name} takes ${found.parameters}: name them in an object`,
        ),
    );
    expectNone(breaches);
  });

  test("half the product's files are under 90 lines, nine in ten under 250", () => {
    const lengths = product.map((file) => file.lines).sort((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length * 0.5)]).toBeLessThanOrEqual(90);
    expect(lengths[Math.floor(lengths.length * 0.9)]).toBeLessThanOrEqual(250);
  });

  test(`lib has at most ${MOST_LIB_FILES} files`, () => {
    // What everybody may use is what nobody tidies up.
    expect(product.filter((file) => file.path.startsWith("src/lib/")).length).toBeLessThanOrEqual(
      MOST_LIB_FILES,
    );
  });
});

describe("the language", () => {
  const rules: readonly { readonly name: string; readonly pattern: RegExp; readonly why: string }[] = [
    {
      name: "default exports",
      pattern: /^export\s+default\b/gm,
      why: "exports by default: a name is the same everywhere",
    },
    {
      name: "enums",
      pattern: /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/gm,
      why: "has an enum: unions are erased and checked",
    },
    {
      name: "any",
      pattern: /(?:[:<|&,]\s*|\bas\s+|=>\s*)any\b(?!\s*[:(])/g,
      why: "uses any: unknown data is parsed at the edge",
    },
    {
      name: "non-null assertions",
      pattern: /[\w)\]]!(?=[.;,)\]}]|\s*$)/gm,
      why: "asserts non-null: say what holds, or handle it",
    },
    {
      name: "module state",
      pattern: /^(?:export\s+)?let\s/gm,
      why: "has a module-level let: state lives in what was made with its inputs",
    },
    { name: "promises to do it later", pattern: /\bto-?do\(/gi, why: "promises instead of doing" },
  ];
  for (const rule of rules) {
    test(`has no ${rule.name}`, () =>
      expectNone(findPattern(rule.name === "module state" ? source : files, rule.pattern, rule.why)));
  }

  test("is checked for the same by the linter", () => {
    const config: unknown = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
    expect(config).toMatchObject({
      linter: { rules: { style: { noNonNullAssertion: "error" }, suspicious: { noExplicitAny: "error" } } },
    });
  });

  test("silences the linter only with a reason", () => {
    const breaches = files.flatMap((file) =>
      [...file.text.matchAll(/(?:biome-ignore|@ts-(?:ignore|nocheck|expect-error))([^\n]*)/g)]
        .filter((match) => !/\w+:\s+\S+ \S+/.test(match[1] ?? ""))
        .filter(() => !file.path.startsWith("test/architecture"))
        .map((match) => `${file.path}:${lineOf(file.text, match.index)} silences a rule without a reason`),
    );
    expectNone(breaches);
  });

  test("has no catch that swallows an error without saying why that is safe", () => {
    const breaches = files.flatMap((file) =>
      [...file.bare.matchAll(/\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)/g)]
        .filter((match) => !/\/\/|\/\*/.test(file.text.slice(match.index, match.index + match[0].length)))
        .filter((match) => !commentBefore(file.text, match.index))
        .map((match) => `${file.path}:${lineOf(file.text, match.index)} swallows an error without a reason`),
    );
    expectNone(breaches);
  });

  test("reads the environment only where settings are loaded and modes wired", () => {
    const inside = product.filter((file) => !/^src\/(config|cli)\/|^src\/main\.ts$/.test(file.path));
    expectNone(
      findPattern(
        inside,
        /\b(?:process|Bun)\.env\b/g,
        "reads the environment: everything but cli receives values",
      ),
    );
  });

  test("keeps decisions free of clocks, chance and processes", () => {
    const decisions = product.filter((file) => file.path.startsWith("src/domain/"));
    const pattern =
      /\b(?:Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|fetch)\b|\bBun\.\w/g;
    expectNone(findPattern(decisions, pattern, "acts or asks the time: a decision gets it as an argument"));
  });
});

/** Whether the line itself or one of the two before carries a comment. */
function commentBefore(text: string, offset: number): boolean {
  const lines = text.slice(0, text.indexOf("\n", offset)).split("\n");
  return lines.slice(-3).some((line) => /\/\/|\*\//.test(line));
}

describe("tests", () => {
  test("hold no test that is skipped or runs alone", () => {
    const breaches = findPattern(
      // The long form runs when it is asked for, by QVD_TEST_LONG=1, and says so in its name.
      files.filter((f) => f.isTest && !f.path.includes("/long/")),
      /\b(?:test|it|describe)\.(?:skip|todo|only|if|skipIf|todoIf)\b/g,
      "a test that doesn't run proves nothing",
    );
    expectNone(breaches);
  });
});

describe("names", () => {
  test("of files are kebab-case and say what is in them", () => {
    const breaches = files
      .map((file) => file.path)
      .filter(
        (path) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)?(?:\.test|\.e2e)?\.tsx?$/.test(basename(path)),
      )
      .map((path) => `${path}: files are named in kebab-case`);
    const vague = files
      .map((file) => file.path)
      .filter((path) => /(?:^|[/-])(?:utils?|helpers?|common|misc)(?:[-./]|$)/.test(path))
      .map((path) => `${path}: a name that takes anything in says nothing`);
    expectNone([...breaches, ...vague]);
  });

  test("index.ts is only a folder's public door, re-exporting by name", () => {
    const breaches = files
      .filter((file) => basename(file.path) === "index.ts")
      .filter(
        (file) => file.code.replace(/export\s+(?:type\s+)?\{[^}]*\}\s+from\s+"[^"]+";/g, "").trim() !== "",
      )
      .map((file) => `${file.path}: a file is named by what it does`);
    expectNone(breaches);
  });
});

describe("writes", () => {
  const tables = new Set(
    [
      ...readFileSync(join(ROOT, "migrations/0001-foundation.sql"), "utf8").matchAll(/^CREATE TABLE (\w+)/gm),
    ].map((match) => match[1] ?? ""),
  );

  test("of a column come from its one writer", () => {
    const breaches = product.flatMap((file) =>
      findWrites(file, tables)
        .filter((write) => exempt.WRITES[`${file.path} ${write.table}`] === undefined)
        .flatMap((write) => judgeWrite(file.path, write) ?? []),
    );
    expectNone(breaches);
  });
});

describe("time", () => {
  test("in SQL comes from qvd_now() alone", () => {
    // The migrations' own table is there before the function is.
    const asking = product.filter((file) => file.path !== "src/db/migrate.ts");
    const pattern =
      /(?<![\w.])now\(\)|\b(?:current_timestamp|clock_timestamp|localtimestamp|statement_timestamp)\b/gi;
    const breaches = asking.flatMap((file) =>
      [...file.code.matchAll(pattern)]
        .filter((match) => file.bare.charAt(match.index) === " ")
        .map(
          (match) =>
            `${file.path}:${lineOf(file.code, match.index)} asks the server's clock: a simulation can't drive it`,
        ),
    );
    expectNone(breaches);
  });
});

describe("exemptions", () => {
  test("are still needed", () => {
    const paths = new Set(files.map((file) => file.path));
    const named = [exempt.LONG_FILES, exempt.LONG_FUNCTIONS, exempt.IMPORTS, exempt.WRITES].flatMap(
      Object.keys,
    );
    expectNone(named.map((key) => key.split(" ")[0] ?? "").filter((path) => !paths.has(path)));
  });
});
