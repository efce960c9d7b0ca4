import { expect, test } from "bun:test";
import { hideImagePaths, hidePaths } from "./hide-paths.ts";

test.each([
  ["Given up after 3 tries: No space.", "Given up after 3 tries: No space."],
  [
    "Given up after 3 tries: Starting desktop 5: LXC refused: no such file. All of it is in /var/lib/qvd/logs/vm-5-lxc.log.",
    "Given up after 3 tries: Starting desktop 5: LXC refused: no such file.",
  ],
  [
    'LXC refused: Failed to mount "/state/vms/5/root" on "dir:/usr/lib/lxc/rootfs". Ask again.',
    'LXC refused: Failed to mount "…" on "dir:…". Ask again.',
  ],
  [
    "Mounting a desktop: /srv/qvd must be passable for everybody, and isn't. Run: chmod o+x /srv/qvd",
    "Mounting a desktop: … must be passable for everybody, and isn't.",
  ],
  ["It may read/write / and /home.", "It may read/write / and /home."],
  ["Removing /srv/qvd/bases/4: failed.", "Removing …: failed."],
  ["", ""],
])("%p is told as %p", (text, told) => {
  expect(hidePaths(text)).toBe(told);
});

test.each([
  ["The image a.tar can't be used: it has the absolute path /etc/x/y. Build it again.", undefined],
  ["ENOENT: no such file, open '/srv/qvd/images/a.tar'", "ENOENT: no such file, open '…'"],
])("of an image, %p is told as %p", (fault, told) => {
  expect(hideImagePaths(fault)).toBe(told ?? fault);
});
