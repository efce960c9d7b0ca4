/** The tracked files of the project as the architecture test sees them: read once, masked, with their imports. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { type FoundFunction, findFunctions } from "./functions.ts";
import { maskSource } from "./mask.ts";

export type Import = {
  /** Path in the tree (`src/lib/run.ts`), or the package's name. */
  readonly target: string;
  readonly isLocal: boolean;
  readonly isTypeOnly: boolean;
};

export type SourceFile = {
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** Without comments and insides of strings. */
  readonly bare: string;
  readonly lines: number;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
  readonly functions: readonly FoundFunction[];
};

const CODE_FOLDERS = ["src", "test", "bench", "script", "appliance"];

export function readTree(root: string): SourceFile[] {
  return CODE_FOLDERS.flatMap((folder) => listFiles(root, folder))
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .concat("build.ts")
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false }) !== undefined)
    .map((path) => readSource(path, readFileSync(join(root, path), "utf8")));
}

export function readSource(path: string, text: string): SourceFile {
  const code = maskSource(text, { keepStrings: true });
  const bare = maskSource(text);
  return {
    path,
    text,
    code,
    bare,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    isTest: /\.test\.tsx?$/.test(path) || path.startsWith("test/"),
    imports: readImports(path, code, bare),
    functions: findFunctions(bare),
  };
}

/** Every file below `folder`, as paths from the root; what is generated or installed is left out. */
export function listFiles(root: string, folder: string): string[] {
  const full = join(root, folder);
  if (statSync(full, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(full, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return /^(node_modules|dist|vendor|\.git|\.tools)$/.test(entry.name) ? [] : listFiles(root, path);
    return entry.isFile() ? [path] : [];
  });
}

const FROM = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const LAZY = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** `bare` tells an import from the word in a string. */
function readImports(path: string, code: string, bare: string): Import[] {
  const isCode = (match: RegExpExecArray) =>
    /^(?:import|export)/.test(bare.slice(match.index, match.index + 6));
  const found = [...code.matchAll(FROM)].filter(isCode);
  const lazy = [...code.matchAll(LAZY)].filter(isCode);
  return [
    ...found.map((match) => toImport(path, match[2] ?? "", match[1] !== undefined)),
    ...lazy.map((match) => toImport(path, match[1] ?? "", false)),
  ];
}

function toImport(path: string, specifier: string, isTypeOnly: boolean): Import {
  const isLocal = specifier.startsWith(".");
  return {
    target: isLocal ? normalize(join(dirname(path), specifier)) : packageOf(specifier),
    isLocal,
    isTypeOnly,
  };
}

function packageOf(specifier: string): string {
  if (specifier.includes(":")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Groups of files that import each other's values, each sorted; none in a healthy tree. */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((i) => i.isLocal && !i.isTypeOnly).map((i) => i.target),
    ]),
  );
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const groups: string[][] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        low.set(path, Math.min(low.get(path) ?? 0, low.get(next) ?? 0));
      } else if (stack.includes(next)) low.set(path, Math.min(low.get(path) ?? 0, index.get(next) ?? 0));
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1) groups.push(group.sort());
  };
  for (const path of graph.keys()) if (!index.has(path)) visit(path);
  return groups;
}
