import { describe, expect, test } from "bun:test";
import { isKeptFromRunning, letScriptsRun } from "./let-scripts-run.ts";

const ROOT = "/dev/vda1 / ext4 rw,noatime 0 0";
const RUN = "tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=76348k,mode=755 0 0";
const OWN = "tmpfs /run/qvd-guest tmpfs rw,nosuid,nodev,relatime 0 0";
const FOLDER = "/run/qvd-guest";

describe("scripts of ours", () => {
  test.each([
    ["are kept from running by the initramfs's /run", [ROOT, RUN], true],
    ["run where the image's /run lets them", [ROOT, RUN.replace("noexec,", "")], false],
    ["run where there is no /run of its own", [ROOT], false],
    ["run on a mount of their own", [ROOT, RUN, OWN], false],
    ["run when the later of two mounts lets them", [RUN, RUN.replace("noexec,", "")], false],
    [
      "are not concerned by a neighbour",
      [ROOT, OWN.replace("/run/qvd-guest", "/run/qvd").replace("nodev", "noexec")],
      false,
    ],
  ])("%s", (_what, lines, isKept) => {
    expect(isKeptFromRunning(lines.join("\n"), FOLDER)).toBe(isKept);
  });

  test("get a mount of their own where they are kept, and only there", () => {
    const asked: string[] = [];
    const mount = (...words: readonly string[]) => void asked.push(words.join(" "));
    letScriptsRun(FOLDER, { readMounts: () => `${ROOT}\n${RUN}\n${OWN}`, mount });
    expect(asked).toEqual([]);
    letScriptsRun(FOLDER, { readMounts: () => `${ROOT}\n${RUN}`, mount });
    expect(asked).toEqual([
      "--bind /run/qvd-guest /run/qvd-guest",
      "-o remount,bind,exec,nosuid,nodev /run/qvd-guest",
    ]);
  });
});
