import { expect, test } from "bun:test";
import { findCgroupLayout } from "./find-cgroup-layout.ts";

const ROOT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n";
const TMPFS = "30 27 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n";
const MEMORY = "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
const SIDE = "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
const ALONE = "30 27 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const ELSEWHERE = "99 27 0:99 / /srv/cgroup rw - cgroup2 cgroup2 rw\n";
const mountPoint = "/sys/fs/cgroup";

test("on a host with version 2 alone its root is the only one", () => {
  const layout = findCgroupLayout({
    mountinfo: ROOT + ALONE + ELSEWHERE,
    initGroups: "0::/init.scope\n",
    mountPoint,
  });
  expect(layout).toEqual({ unified: mountPoint, roots: [mountPoint] });
});

test("on a host with both, groups lie in every hierarchy and events in the second", () => {
  const initGroups = "4:memory:/\n0::/\n";
  expect(findCgroupLayout({ mountinfo: ROOT + TMPFS + MEMORY + SIDE, initGroups, mountPoint })).toEqual({
    unified: `${mountPoint}/unified`,
    roots: [`${mountPoint}/memory`, `${mountPoint}/unified`],
  });
});

test("where the first process has a group of its own, LXC's groups may lie below it", () => {
  const initGroups = "4:memory:/box/7\n0::/\n";
  const { roots } = findCgroupLayout({ mountinfo: TMPFS + MEMORY + SIDE, initGroups, mountPoint });
  expect(roots).toContain(`${mountPoint}/memory/box/7`);
});

test("a host without version 2 is refused with the cure", () => {
  const facts = { mountinfo: ROOT + TMPFS + MEMORY, initGroups: "4:memory:/\n", mountPoint };
  expect(() => findCgroupLayout(facts)).toThrow(/mount -t cgroup2/);
});
