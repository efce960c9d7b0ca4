/** Recipes and what they may not do. Building for real is in the long form. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";
import { buildConfinement } from "../../src/storage/build/build-confinement.ts";
import { readAsOwner } from "../../src/storage/build/read-as-owner.ts";
import { hashRecipes, readRecipes } from "../../src/storage/build/read-recipe.ts";

const ROOT = `${import.meta.dir}/../..`;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-build-");
  await chmod(scratch, 0o755);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function lay(name: string, text: string): Promise<string> {
  const folder = `${scratch}/recipes/${name}`;
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/recipe.toml`, `name = "${name}"\nsummary = "A test"\n${text}`);
  return folder;
}

describe("the recipes that come with QVD", () => {
  test.each([
    ["light", ["light"]],
    ["office", ["light", "office"]],
    ["developer", ["light", "developer"]],
  ])("%s can be read, with what it is based on", async (name, stories) => {
    const read = await readRecipes(`${ROOT}/appliance/images/${name}`);
    expect(read.map(({ recipe }) => recipe.name)).toEqual(stories);
  });
});

describe("reading a recipe", () => {
  test("refuses what leads elsewhere", async () => {
    const linked = await lay("linked", 'customize = "script"');
    await symlink("/etc/shadow", `${linked}/script`);
    await expect(readRecipes(linked)).rejects.toThrow(/names script, which is no file beside it/);
    const tree = await lay("tree", 'files = "files"');
    await symlink("/etc", `${tree}/files`);
    await expect(readRecipes(tree)).rejects.toThrow(/names files, which is no folder beside it/);
    const toml = `${scratch}/recipes/toml`;
    await mkdir(toml);
    await symlink("/etc/passwd", `${toml}/recipe.toml`);
    await expect(readRecipes(toml)).rejects.toThrow(/there is no recipe/);
  });

  test("refuses one that is based on itself, or on none", async () => {
    await expect(readRecipes(await lay("round", 'based-on = "round"'))).rejects.toThrow(/based on itself/);
    await expect(readRecipes(await lay("alone", 'based-on = "nobody"'))).rejects.toThrow(
      /no recipe .*nobody/,
    );
  });

  test("has another key when anything of it changes, and only then", async () => {
    const folder = await lay("keyed", 'customize = "script"');
    await writeFile(`${folder}/script`, "true");
    const key = async () => hashRecipes(await readRecipes(folder), "1");
    const first = await key();
    expect(await key()).toBe(first);
    expect(await hashRecipes(await readRecipes(folder), "2")).not.toBe(first);
    await writeFile(`${folder}/script`, "false");
    expect(await key()).not.toBe(first);
  });
});

test("a recipe's folder is read with its owner's rights, wherever its files lead meanwhile", async () => {
  const folder = await lay("strange", "");
  await chown(folder, 65_534, 65_534);
  await writeFile(`${scratch}/secret`, "only root's", { mode: 0o600 });
  await symlink(`${scratch}/secret`, `${folder}/customize`);
  const copy = readAsOwner(folder, ["/usr/bin/cat", "--", "customize"], `${scratch}/copy`);
  await expect(copy).rejects.toThrow(/as its owner \(id 65534\): .*Permission denied/);
  expect(await Bun.file(`${scratch}/copy`).text()).toBe("");
});

describe("what runs while an image is built", () => {
  const confined = async (text: string, alsoCovered: readonly string[] = []): Promise<string> => {
    const words = await buildConfinement({ workFolder: scratch, alsoCovered });
    return await runOk("looking around", [...words, "/bin/sh", "-c", text]);
  };

  test("is an account that owns nothing", async () => {
    const [who, capabilities] = (await confined("id -un; grep CapEff /proc/self/status")).split("\n");
    expect([who, capabilities]).toEqual(["qvd-image", "CapEff:\t0000000000000000"]);
  });

  test("sees nobody's data and no other process", async () => {
    await mkdir(`${scratch}/state`, { recursive: true });
    await writeFile(`${scratch}/state/open-to-all`, "secret");
    expect(await confined(`ls -A /root /home /srv ${scratch}/state`, [`${scratch}/state`])).not.toContain(
      "open",
    );
    expect(Number(await confined("ls /proc | grep -c '^[0-9]'"))).toBeLessThan(8);
    expect(await confined("cat /etc/shadow 2>&1 || true")).toContain("Permission denied");
  });
});
