import { expect, test } from "bun:test";
import { keptFolderFault, listKeptBinds } from "./kept-folder.ts";

test.each(["/var/log", "/tmp", "/srv", "/var/lib/postgresql/15-main", "/etc/cups", "/opt/tool"])(
  "%s can be kept",
  (path) => expect(keptFolderFault(path)).toBeUndefined(),
);

test.each([
  ["var/log", "absolute"],
  ["", "absolute"],
  ["/", "keep everything"],
  ["/var/../etc", "parts"],
  ["/var//log", "parts"],
  ["/var/log/", "parts"],
  ["/.hidden", "parts"],
  ["/a b", "parts"],
  ["/a\nlxc.hook", "parts"],
  [`/${"a".repeat(300)}`, "parts"],
  ["/proc/sys", "/proc"],
  ["/run", "/run"],
  ["/var/run/cups", "/run"],
  ["/home/ana", "/home"],
  ["/usr/bin", "/usr/bin"],
  ["/usr", "/usr/bin"],
  ["/opt", "/opt/qvd"],
])("%s can't be kept, because of %s", (path, reason) => {
  expect(keptFolderFault(path)).toContain(reason);
});

test("outer folders come before those inside them, each once, and bad ones not at all", () => {
  expect(listKeptBinds(["/var/log/apt", "/tmp", "/var/log", "/tmp", "/proc"])).toEqual([
    { path: "/tmp", name: "tmp" },
    { path: "/var/log", name: "var%2Flog" },
    { path: "/var/log/apt", name: "var%2Flog%2Fapt" },
  ]);
});
