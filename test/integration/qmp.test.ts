/** Visits to a QEMU's control socket, played by servers of our own: hostile ones, too. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { visitQmp } from "../../src/hypervisor/kvm/qmp.ts";

let folder: string;
let asked: string[];
const closing: (() => void)[] = [];
beforeEach(async () => {
  folder = await mkdtemp("/var/tmp/qvd-qmp-");
  for (const name of ["one", "two"]) await mkdir(`${folder}/${name}`);
  asked = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(folder, { recursive: true });
});

function play(path: string, greeting = '{"QMP":{}}'): void {
  const server = Bun.listen({
    unix: path,
    socket: {
      open: (socket) => void socket.write(`${greeting}\n`),
      data(socket, chunk) {
        for (const line of chunk.toString().trim().split("\n")) {
          asked.push(JSON.parse(line).execute);
          socket.write('{"event":"X"}\n{"return":{"status":"running"}}\n');
        }
      },
    },
  });
  closing.push(() => server.stop(true));
}
const visit = (path: string) => visitQmp(path, 1_000, (command) => command("query-status"));

test("a visit greets, asks and gets its answer, events aside", async () => {
  play(`${folder}/one/qmp`);
  expect(await visit(`${folder}/one/qmp`)).toEqual({ status: "running" });
  expect(asked).toEqual(["qmp_capabilities", "query-status"]);
});

test("where nothing is, nobody listens", async () => {
  await expect(visit(`${folder}/one/qmp`)).rejects.toMatchObject({ code: "unavailable" });
});

test("a link to another machine's socket is not followed", async () => {
  play(`${folder}/two/qmp`);
  await symlink(`${folder}/two/qmp`, `${folder}/one/qmp`);
  await expect(visit(`${folder}/one/qmp`)).rejects.toThrow("nobody listens there");
  expect(asked).toEqual([]);
});

test("a socket of somebody else's than the folder's is not visited", async () => {
  play(`${folder}/one/qmp`);
  await chown(`${folder}/one`, 1_234_567, 1_234_567);
  await expect(visit(`${folder}/one/qmp`)).rejects.toThrow("nobody listens there");
  expect(asked).toEqual([]);
});

test.each(["no JSON", `"${"x".repeat(2 ** 21)}"`])(
  "one that greets with what makes no sense is left",
  async (greeting) => {
    play(`${folder}/one/qmp`, greeting);
    await expect(visit(`${folder}/one/qmp`)).rejects.toMatchObject({ code: "unavailable" });
  },
);

test("visits leave no descriptor behind", async () => {
  play(`${folder}/one/qmp`);
  const count = async () =>
    (await Array.fromAsync(new Bun.Glob("*").scan({ cwd: "/proc/self/fd", onlyFiles: false }))).length;
  await visit(`${folder}/one/qmp`);
  const before = await count();
  for (let n = 0; n < 20; n++) await visit(`${folder}/one/qmp`);
  expect(await count()).toBeLessThan(before + 10);
});
