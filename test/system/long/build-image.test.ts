/** Building images from recipes for real, from Debian's packages. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readImageAccount } from "../../../src/cli/accounts.ts";
import { runOk } from "../../../src/lib/run.ts";
import { buildImage } from "../../../src/storage/build/build-image.ts";
import { readRecipes } from "../../../src/storage/build/read-recipe.ts";
import { verifyArchive } from "../../../src/storage/verify-archive.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
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

describe.skipIf(!isLong)("building an image (long form: set QVD_TEST_LONG=1)", () => {
  test(
    "gives an image of the packages, the files, the script's doing and the menu, and leaves nothing beside it",
    async () => {
      const folder = await lay(
        "whole",
        'packages = ["less"]\nfiles = "files"\ncustomize = "script"\n[[applications]]\nid = "less"\nname = "Less"\nexec = "less"\n',
      );
      await mkdir(`${folder}/files/etc`, { recursive: true });
      await writeFile(`${folder}/files/etc/made-here`, "yes\n");
      await writeFile(
        `${folder}/script`,
        "set -eu\nid -u > /etc/script-id\ntail -n +3 /proc/net/dev | cut -d: -f1 > /etc/script-links\n",
      );
      const steps: string[] = [];
      const output = `${scratch}/out/whole.tar.zst`;
      await buildImage({
        stories: await readRecipes(folder),
        output,
        account: readImageAccount(await readFile("/etc/passwd", "utf8")),
        covered: [],
        onStep: (words) => void steps.push(words),
        signal: new AbortController().signal,
      });
      expect(steps).toContain("compressing");
      expect((await verifyArchive(output)).unpackedBytes).toBeGreaterThan(50_000_000);
      const read = (path: string) =>
        runOk("reading the image", ["/usr/bin/tar", "--zstd", "-xOf", output, path]);
      expect(await read("./etc/made-here")).toBe("yes\n");
      expect(await read("./etc/script-id")).toBe("0\n");
      expect((await read("./etc/script-links")).trim()).toBe("lo");
      expect(await read("./usr/share/applications/less.desktop")).toContain("Exec=less");
      expect((await runOk("looking", ["/usr/bin/ls", "-A", `${scratch}/out`])).trim()).toBe("whole.tar.zst");
    },
    10 * 60_000,
  );

  test(
    "that fails says what Debian's tools said, and leaves nothing",
    async () => {
      const folder = await lay("wrong", 'packages = ["no-such-package-anywhere"]');
      const building = buildImage({
        stories: await readRecipes(folder),
        output: `${scratch}/wrong/x.tar.zst`,
        account: readImageAccount(await readFile("/etc/passwd", "utf8")),
        covered: [],
        onStep: () => {},
        signal: new AbortController().signal,
      });
      await expect(building).rejects.toThrow(/no-such-package-anywhere/);
      expect((await runOk("looking", ["/usr/bin/ls", "-A", `${scratch}/wrong`])).trim()).toBe("");
    },
    10 * 60_000,
  );
});
