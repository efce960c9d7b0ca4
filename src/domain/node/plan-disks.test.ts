import { expect, test } from "bun:test";
import { type DiskFacts, planDisks } from "./plan-disks.ts";

const NONE = { hasImage: false };
const IMAGE = { hasImage: true };
const FACTS: DiskFacts = {
  persistence: "home",
  homeMb: undefined,
  systemMb: undefined,
  isShared: false,
  home: NONE,
  system: NONE,
};
const FRESH = { kind: "fresh-folder" } as const;
const PLAIN = { kind: "folder" } as const;
const image = (sizeMb: number | undefined) => ({ kind: "image", sizeMb }) as const;

test.each([
  ["a box alone without limits uses folders", {}, PLAIN, FRESH],
  ["nothing is kept where nothing is to be", { persistence: "nothing" }, FRESH, FRESH],
  [
    "what is thrown away can have its limit too",
    { persistence: "nothing", homeMb: 50, systemMb: 70 },
    { kind: "fresh-image", sizeMb: 50 },
    { kind: "fresh-image", sizeMb: 70 },
  ],
  ["a limit asks for an image", { homeMb: 100 }, image(100), FRESH],
  ["other boxes ask for an image", { isShared: true }, image(undefined), FRESH],
  ["an image stays one when its limit goes", { home: IMAGE }, image(undefined), FRESH],
  ["chosen folders lie with the home", { persistence: "folders", homeMb: 9 }, image(9), FRESH],
  ["everything keeps the system too", { persistence: "everything" }, PLAIN, PLAIN],
  ["and each has its own limit", { persistence: "everything", systemMb: 80 }, PLAIN, image(80)],
  [
    "and both move where there are other boxes",
    { persistence: "everything", isShared: true },
    image(undefined),
    image(undefined),
  ],
] as const)("%s", (_rule, facts, home, system) => {
  expect(planDisks({ ...FACTS, ...facts })).toEqual({ home, system });
});
