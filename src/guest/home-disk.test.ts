import { expect, test } from "bun:test";
import { type HomeDiskWorld, mountHomeDisk } from "./home-disk.ts";

function world(change: Partial<HomeDiskWorld> = {}, fails = "") {
  const ran: string[] = [];
  const programs: HomeDiskWorld = {
    findDisk: () => "/dev/vdb",
    isMounted: () => false,
    isBlank: () => false,
    run: ([program = ""]) => {
      ran.push(program);
      return program === fails ? 8 : 0;
    },
    ...change,
  };
  return { programs, ran };
}

test("a home that was used is checked, grown where it may, and mounted", () => {
  const { programs, ran } = world();
  mountHomeDisk(programs);
  expect(ran).toEqual(["e2fsck", "mount", "resize2fs"]);
});

test("only a blank disk gets a file system", () => {
  const { programs, ran } = world({ isBlank: () => true });
  mountHomeDisk(programs);
  expect(ran).toEqual(["mkfs.ext4", "e2fsck", "mount", "resize2fs"]);
});

test("a home that is mounted is left alone, as at the agent's restart", () => {
  const { programs, ran } = world({ isMounted: () => true });
  mountHomeDisk(programs);
  expect(ran).toEqual([]);
});

test("a machine whose flavour keeps nothing has no disk to mount", () => {
  const { programs, ran } = world({ findDisk: () => undefined });
  mountHomeDisk(programs);
  expect(ran).toEqual([]);
});

test.each(["e2fsck", "mount"])("a disk that can't be used is told of: %s failed", (program) => {
  const { programs } = world({}, program);
  expect(() => mountHomeDisk(programs)).toThrow("/dev/vdb");
});

test("what e2fsck has repaired is as good as new", () => {
  const ran: string[] = [];
  const { programs } = world({
    run: ([program = ""]) => {
      ran.push(program);
      return program === "e2fsck" ? 1 : 0;
    },
  });
  mountHomeDisk(programs);
  expect(ran).toContain("mount");
});

test("a home that can't grow is still a home", () => {
  const { programs } = world({}, "resize2fs");
  expect(() => mountHomeDisk(programs)).not.toThrow();
});
