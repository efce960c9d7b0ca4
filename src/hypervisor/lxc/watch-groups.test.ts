import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { asId, type VmId } from "../../domain/ids.ts";
import { waitFor } from "../../lib/wait.ts";
import { type CgroupTree, groupFolder, partFolder } from "./cgroup-tree.ts";
import { watchGroups } from "./watch-groups.ts";

const VM = asId<VmId>(7);
let tree: CgroupTree;
let told: VmId[];
let stop: () => void;

/** Folders and files as the kernel would have them; what is watched is only that they change. */
beforeEach(() => {
  tree = { unified: mkdtempSync(`${tmpdir()}/qvd-watch-`), instance: "watch" } as CgroupTree;
  told = [];
  mkdirSync(partFolder(tree, "container"), { recursive: true });
  stop = watchGroups(tree, (vmId) => told.push(vmId), ["container"]);
});
afterEach(() => {
  stop();
  rmSync(tree.unified, { recursive: true });
});

const group = () => groupFolder(tree, "container", VM);
const tell = (text: string) => writeFileSync(`${group()}/cgroup.events`, text);
function make(): void {
  mkdirSync(group());
  tell("populated 1\n");
}
/** More is told than the making of a group is: of each change, as often as one is made. */
const isWatched = async () => {
  let count = 0;
  told.length = 0;
  return await waitFor(
    () => {
      tell(`populated ${count++ % 2}\n`);
      return told.length > 20;
    },
    { timeoutMs: 10_000, everyMs: 2 },
  );
};

test("a group's events are told from its making to its end", async () => {
  make();
  expect(await waitFor(() => told.includes(VM), { timeoutMs: 5_000 })).toBe(true);
  expect(await isWatched()).toBe(true);
  told.length = 0;
  rmSync(group(), { recursive: true });
  expect(await waitFor(() => told.includes(VM), { timeoutMs: 5_000 })).toBe(true);
});

test("a group that was made anew before the end of the old one was heard of is watched as well", async () => {
  make();
  expect(await isWatched()).toBe(true);
  rmSync(group(), { recursive: true });
  make();
  expect(await isWatched()).toBe(true);
});
