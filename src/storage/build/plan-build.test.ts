import { describe, expect, test } from "bun:test";
import { planBuild, stepOf } from "./plan-build.ts";
import type { Recipe } from "./recipe.ts";
import { jailScript } from "./script-jail.ts";

const recipe = (fields: Partial<Recipe>): Recipe => ({
  name: "x",
  summary: "X",
  packages: [],
  applications: [],
  ...fields,
});
const none = { filesTar: undefined, customize: undefined };

describe("a build", () => {
  test("takes the packages of all stories once, the lowest first", () => {
    const plan = planBuild([recipe({ packages: ["a", "b"] }), recipe({ packages: ["b", "c"] })], {
      folder: "/w",
      stories: [none, none],
      output: "/w/o.tar",
    });
    expect(plan.packages).toEqual(["a", "b", "c"]);
    expect(plan.command).toContain("--include=a,b,c");
    expect(plan.command.slice(-3)).toEqual(["bookworm", "/w/o.tar", "/w/sources.list"]);
  });

  test("is of the topmost story's suite", () => {
    const stories = [recipe({ suite: "bookworm" }), recipe({ suite: "trixie" }), recipe({})];
    const plan = planBuild(stories, { folder: "/w", stories: [none, none, none], output: "/w/o.tar" });
    expect(plan.suite).toBe("trixie");
  });

  test("lays files before it runs the script, and the script is in its jail", () => {
    const stories = [{ filesTar: "/w/0/files.tar", customize: "/w/0/customize" }];
    const { command } = planBuild([recipe({})], { folder: "/w", stories, output: "/w/o.tar" });
    const hooks = command.filter((word) => word.startsWith("--customize-hook="));
    expect(hooks.map((hook) => hook.replace("--customize-hook=", ""))).toEqual([
      expect.stringContaining("/var/lib/apt/lists"),
      expect.stringContaining("/etc/apt/apt.conf.d/99mmdebstrap"),
      expect.stringContaining("'deb http://deb.debian.org/debian bookworm main'"),
      "tar-in /w/0/files.tar /",
      "upload /w/0/customize /qvd-customize",
      jailScript("/qvd-customize"),
      'rm "$1/qvd-customize"',
    ]);
  });

  test("never asks for rights of the machine", () => {
    const { command } = planBuild([recipe({})], { folder: "/w", stories: [none], output: "/w/o.tar" });
    expect(command).toContain("--mode=unshare");
  });

  test("has no program of the builder's read settings that a recipe laid into the new root", () => {
    const { command } = planBuild([recipe({})], { folder: "/w", stories: [none], output: "/w/o.tar" });
    expect(command).toContain("--skip=cleanup/apt");
  });
});

test.each([
  ["I: installing remaining packages inside the chroot...", "fetching and installing the packages"],
  ["I: creating tarball...", "writing the archive"],
  ["Setting up git (1:2.39) ...", undefined],
  ["", undefined],
])("mmdebstrap's %j is the step %j", (line, step) => {
  expect(stepOf(line)).toBe(step as string);
});
