import { expect, test } from "bun:test";
import { parseMountinfo, parseMountsBelow } from "./mountinfo.ts";

const TEXT = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
42 27 254:0 /bases/1 /vms/7/base ro,nosuid,nodev,relatime,idmapped - ext4 /dev/vda rw
46 27 0:39 / /vms/7/root rw,nodev,relatime shared:12 master:3 - overlay qvd-7 rw,lowerdir=/b,upperdir=/a\\040b/upper
47 27 0:40 / /with\\040blank\\011tab\\134slash rw - tmpfs tmpfs ro,size=1k
`;

test("mounts are read in their order, with what forbids writing", () => {
  expect(parseMountinfo(TEXT)).toEqual([
    { device: "254:0", root: "/", mountPoint: "/", fileSystem: "ext4", source: "/dev/vda", isWritable: true },
    {
      device: "254:0",
      root: "/bases/1",
      mountPoint: "/vms/7/base",
      fileSystem: "ext4",
      source: "/dev/vda",
      isWritable: false,
    },
    {
      device: "0:39",
      root: "/",
      mountPoint: "/vms/7/root",
      fileSystem: "overlay",
      source: "qvd-7",
      isWritable: true,
      upperFolder: "/a b/upper",
    },
    {
      device: "0:40",
      root: "/",
      mountPoint: "/with blank\ttab\\slash",
      fileSystem: "tmpfs",
      source: "tmpfs",
      isWritable: false,
    },
  ]);
});

test.each(["", "\n\n", "garbage", "1 2 3 - ", " - ext4 /dev/vda rw"])("%j holds no mount", (text) => {
  expect(parseMountinfo(text)).toEqual([]);
});

test.each([
  ["/vms", ["/vms/7/base", "/vms/7/root"]],
  ["/vms/7", ["/vms/7/base", "/vms/7/root"]],
  ["/vms/7/root", ["/vms/7/root"]],
  ["/with blank\ttab\\slash", ["/with blank\ttab\\slash"]],
  ["/vm", []],
  ["/bases", []],
])("at and below %s is what is mounted there, not what comes from there", (folder, expected) => {
  expect(parseMountsBelow(folder, TEXT).map(({ mountPoint }) => mountPoint)).toEqual(expected);
});
