/** An image's life as its administrator types it: fetched, followed, published, replaced, retired, deleted; and what a broken server does to it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { adminCommands } from "../../src/cli/admin-commands.ts";
import type { CommandIo } from "../../src/cli/command.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { describeError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { ImageIntake } from "../../src/node/image-intake.ts";
import { createStorage } from "../../src/storage/storage.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

let wat: Wat;
let scratch: string;
let server: FileServer;
let intake: ImageIntake;
let wakes: ReturnType<typeof setInterval>;

beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-life-");
  await makeTinyRoot(`${scratch}/tiny`);
  await packRoot(`${scratch}/tiny`, `${scratch}/tiny.tar.zst`);
  server = await startFileServer(await readFile(`${scratch}/tiny.tar.zst`));
  wat = await startWat();
  const layout = { ...layoutOf(`${scratch}/state`, `${scratch}/run`), incomingFolder: wat.incomingFolder };
  await mkdir(layout.imagesFolder, { recursive: true });
  const log = silentLog();
  const storage = createStorage({
    layout,
    idRangeFirst: 1_000_000,
    log,
    reserveBytes: 0,
    mayFetchPrivate: true,
  });
  const db = wat.database.open("qvd_node").orm;
  intake = new ImageIntake(
    { db, storage, layout, listUsed: () => new Set(), tell: () => {}, clock: systemClock, log },
    () => {},
  );
  intake.start();
  // The wakes of a box, which has no socket here.
  wakes = setInterval(() => intake.wake(), 200);
}, 60_000);

afterAll(async () => {
  clearInterval(wakes);
  intake.stop();
  await wat.stop();
  await server[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

type Told = { readonly code: number; readonly out: string; readonly err: string };

async function type(
  name: string,
  positionals: readonly string[] = [],
  options: Readonly<Record<string, string | boolean>> = {},
): Promise<Told> {
  const command = await adminCommands.find((entry) => entry.name === name)?.load();
  if (command === undefined) throw new Error(`there is no command ${name}`);
  const said = { out: "", err: "" };
  const io: CommandIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    env: { QVD_API_URL: wat.url, QVD_API_CA: wat.caFile, QVD_LOGIN: "admin", QVD_PASSWORD: PASSWORD },
    isTerminal: false,
    signal: new AbortController().signal,
  };
  try {
    return { code: await command.run(io, { positionals, options }), ...said };
  } catch (error) {
    return { code: 1, out: said.out, err: said.err + describeError(error) };
  }
}

// Chapters of one life, in this order.
describe("an image", () => {
  test("is fetched by a node, which is told, and published when it is ready", async () => {
    const options = { osf: "life", "create-osf": true, url: server.url, version: "1", publish: true };
    const added = await type("image add", [], options);
    expect(added.err).toContain("enrolled life:1");
    expect(added.err).toContain("it is published and has the tags default, head");
    expect(added.code).toBe(0);
    const shown = await type("image show", ["life:1"]);
    expect(shown.out).toMatch(/^from +http:\/\/127\.0\.0\.1/m);
    expect(shown.out).toMatch(/^tags +default head$/m);
  }, 30_000);

  test("is sent from here, with the checksum that it must have", async () => {
    const added = await type("image add", [`${scratch}/tiny.tar.zst`], { osf: "life", version: "2" });
    expect(added.err).toContain("(100 %)");
    expect(added.err).toContain("it is ready");
    const { statedSha256 } =
      (
        await wat.database.open("qvd_owner")
          .sql`select stated_sha256 as "statedSha256" from dis where version = '2'`
      )[0] ?? {};
    expect(statedSha256).toMatch(/^[0-9a-f]{64}$/);
  }, 30_000);

  test("takes the tags of the one before when it is published, and gives them back when it retires", async () => {
    expect((await type("image publish", ["life:2", "default", "pilot"])).err).toContain(
      "tags default, head, pilot",
    );
    expect((await type("image list", [], { osf: "life" })).out).toMatch(/life:1 +published +-/);
    expect((await type("image retire", ["life:2"])).err).toContain("it carries the tag pilot");
    expect((await type("image untag", ["life:2", "pilot"])).code).toBe(0);
    expect((await type("image delete", ["life:2"], { "dry-run": true })).err).toContain("would delete");
    expect((await type("image retire", ["life:2"], { "dry-run": true })).err).toBe("would retire life:2\n");
    expect((await type("image retire", ["life:2"])).code).toBe(0);
    const listed = (await type("image list", [], { osf: "life" })).out;
    expect(listed).toMatch(/life:2 +retired +-/);
    expect(listed).toMatch(/life:1 +published +default head/);
  });

  test("is deleted, and its file goes from where another would be fetched to", async () => {
    expect((await type("image delete", ["life:2"])).code).toBe(0);
    expect((await type("image show", ["life:2"])).code).toBe(1);
  });
});

describe("adding an image", () => {
  test("tells why a server's file can't be had, or used", async () => {
    server.moods.push({ do: "status", status: 403 });
    const refused = await type("image add", [], { osf: "life", url: server.url, version: "3" });
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining("could not be fetched: the server answers 403"),
    ]);
    await writeFile(`${scratch}/disk.vmdk`, `KDMV${"x".repeat(1000)}`);
    const disk = await type("image add", [`${scratch}/disk.vmdk`], { osf: "life", version: "4" });
    expect(disk.err).toContain("it is a VMDK disk of VMware, and desktops of this OS flavour are containers");
  }, 30_000);

  test.each([
    [[], {}, "name one image: a FILE or --url"],
    [["x.tar"], { url: "https://example.org/x" }, "name one image: a FILE or --url"],
    [[], { url: "https://example.org/x", incoming: true }, "can't go with --url"],
    [[], { url: "file:///etc/shadow" }, "file: is not fetched"],
    [["x.tar"], { publish: true, "no-wait": true }, "--publish waits"],
    [["/nonexistent.tar"], {}, "there is no file /nonexistent.tar"],
  ])("refuses %j with %j", async (positionals, options, words) => {
    const told = await type("image add", positionals, { osf: "life", ...options });
    expect([told.code, told.err]).toEqual([1, expect.stringContaining(words)]);
  });
});
