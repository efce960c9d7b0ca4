/** What the units of systemd and the installer call: preparing a box, clearing one, and a migration that waits. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { boxClear } from "../../src/cli/box/clear.ts";
import { boxPrepare } from "../../src/cli/box/prepare-command.ts";
import type { CommandIo } from "../../src/cli/command.ts";
import { migrateCommand } from "../../src/cli/migrate.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { readProcessIdentity } from "../../src/lib/process.ts";
import { writeProcessFile } from "../../src/node/process-file.ts";

let folder: string;
let io: CommandIo;
beforeEach(async () => {
  folder = await mkdtemp("/var/tmp/qvd-h5cmd-");
  await chmod(folder, 0o755);
  io = {
    out: () => {},
    err: () => {},
    env: {
      QVD_CONFIG: "/dev/null",
      QVD_INSTANCE: "h5cmd",
      QVD_STATE: `${folder}/state`,
      QVD_RUN: `${folder}/run`,
      QVD_DATABASE_URL: "postgres://owner:very-secret@database.example:1/qvd",
    },
    isTerminal: false,
    signal: new AbortController().signal,
  };
});
afterEach(() => rm(folder, { recursive: true }));

test("a prepared box has its folders, and settings for others without the owner's password", async () => {
  const file = `${folder}/public.conf`;
  const args = { positionals: [], options: { "public-settings": file } };
  for (const _again of [1, 2]) expect(await boxPrepare.run(io, args)).toBe(0);
  const text = await Bun.file(file).text();
  expect(text).toContain(`QVD_STATE=${folder}/state\n`);
  expect(text).toContain("QVD_DATABASE_URL=postgres://database.example:1/qvd\n");
  expect(text).not.toMatch(/very-secret|QVD_CONFIG/);
  const secrets = layoutOf(`${folder}/state`, `${folder}/run`).secretsFolder;
  expect((await stat(secrets)).mode & 0o777).toBe(0o711);
});

test("settings for others are never written through a link that lies in their way", async () => {
  const file = `${folder}/public.conf`;
  await writeFile(`${folder}/victim`, "the host's");
  await symlink(`${folder}/victim`, `${file}.new`);
  expect(await boxPrepare.run(io, { positionals: [], options: { "public-settings": file } })).toBe(0);
  expect(await Bun.file(`${folder}/victim`).text()).toBe("the host's");
  expect(await Bun.file(file).text()).toContain("QVD_STATE=");
});

test("a box whose node runs is not cleared", async () => {
  const { nodeProcessFile } = layoutOf(`${folder}/state`, `${folder}/run`);
  await mkdir(`${folder}/run`);
  writeProcessFile(nodeProcessFile, {
    ...{ version: "1", nodeId: 1, nodeName: "box", startedAtMs: 1, workers: [] },
    node: readProcessIdentity(process.pid) ?? null,
  });
  await expect(boxClear.run(io, { positionals: [], options: {} })).rejects.toMatchObject({
    code: "conflict",
  });
});

test.each([undefined, "1"])(
  "a migration waits for a database that is away for %p seconds, then says so",
  async (wait) => {
    const env = { ...io.env, QVD_DATABASE_URL: "postgres://owner:x@127.0.0.1:9/qvd" };
    const startedMs = performance.now();
    await boxPrepare.run(io, { positionals: [], options: {} });
    await expect(
      migrateCommand.run({ ...io, env }, { positionals: [], options: { wait } }),
    ).rejects.toMatchObject({ code: "database-away" });
    if (wait !== undefined) expect(performance.now() - startedMs).toBeGreaterThan(1_000);
  },
);

test.each(["soon", "-1", "12345"])("a migration doesn't wait %j", async (wait) => {
  await expect(migrateCommand.run(io, { positionals: [], options: { wait } })).rejects.toMatchObject({
    code: "bad-input",
  });
});
