/**
 * What a test or a benchmark takes of the machine that it runs on, as its source says it: address ranges, instances,
 * X displays and fixed ports. Two that take the same can't run beside each other, and what one that was killed has
 * left is in the other's way.
 */

import type { SourceFile } from "./tree.ts";

export type Claim =
  | { readonly kind: "network"; readonly what: string; readonly first: number; readonly last: number }
  | { readonly kind: "instance" | "display" | "port"; readonly what: string };

const NETWORK = /(?<![\d.])(?:10|172)(?:\.\d{1,3}){2,3}(?:\/\d{1,2})?(?![\d.]*\d)/g;
const INSTANCE =
  /(?:\b(?:instance|lab|QVD_INSTANCE): |\b(?:INSTANCE|LAB) = |\b(?:createDesktopLab|createMachineLab|labOn)\(|\bonStage\(io, )"(\w+)"/g;
/** Not `:100`, which a desktop has in a network and a /tmp of its own. */
const DISPLAY = /"(:\d\d)"/g;
/** Below those that the kernel gives to connections. A round number is a time or an amount. */
const PORT_LINE = /\bports?\b|Ports?\b|PORTS?\b/;
const PORT = /(?<![\w.])((?:2\d|3[0-2])_?(?!000)\d{3})(?![\w.])/g;

export function findClaims(file: SourceFile): readonly Claim[] {
  const texts = (pattern: RegExp, text = file.code) =>
    [...text.matchAll(pattern)].map((match) => match[1] ?? match[0]);
  const instances = texts(INSTANCE).map((what): Claim => ({ kind: "instance", what }));
  const displays = texts(DISPLAY).map((what): Claim => ({ kind: "display", what }));
  const ports = file.code
    .split("\n")
    .filter((line) => PORT_LINE.test(line))
    .flatMap((line) => texts(PORT, line))
    .map((what): Claim => ({ kind: "port", what: what.replace("_", "") }));
  // An integration test without an instance has addresses in rows only.
  const hasNetwork = !file.path.startsWith("test/integration/") || instances.length > 0;
  const networks = hasNetwork ? texts(NETWORK).map(toNetwork) : [];
  return [...networks, ...instances, ...displays, ...ports];
}

/** An address stands for the 256 around it. */
export function toNetwork(text: string): Claim {
  const [address = "", length = "24"] = text.split("/");
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const size = 2 ** (32 - Math.min(24, Number(length)));
  const first = Math.floor((((a * 256 + b) * 256 + c) * 256 + d) / size) * size;
  return { kind: "network", what: text, first, last: first + size - 1 };
}

export function overlap(one: Claim, other: Claim): boolean {
  if (one.kind === "network" && other.kind === "network")
    return one.first <= other.last && other.first <= one.last;
  return one.kind === other.kind && one.what === other.what;
}
