/** The command line against the real API over TLS: what people type, and what they are told. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { adminCommands } from "../../src/cli/admin-commands.ts";
import type { CommandIo } from "../../src/cli/command.ts";
import { describeError } from "../../src/lib/errors.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "../system/wat-support.ts";

let wat: Wat;
let home: string;

beforeAll(async () => {
  wat = await startWat();
  home = await mkdtemp(`${tmpdir()}/qvd-cli-`);
}, 30_000);

afterAll(async () => {
  await wat.stop();
  await rm(home, { recursive: true, force: true });
});

const ADMIN = { QVD_LOGIN: "admin", QVD_PASSWORD: PASSWORD };

type Told = { readonly code: number; readonly out: string; readonly err: string };

async function type(
  name: string,
  positionals: readonly string[] = [],
  options: Readonly<Record<string, string | boolean>> = {},
  env: Readonly<Record<string, string>> = ADMIN,
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
    env: { HOME: home, QVD_API_URL: wat.url, QVD_API_CA: wat.caFile, ...env },
    isTerminal: false,
    signal: new AbortController().signal,
  };
  try {
    return { code: await command.run(io, { positionals, options }), ...said };
  } catch (error) {
    return { code: 1, out: said.out, err: said.err + describeError(error) };
  }
}

describe("commands", () => {
  test("are what their file says they are", async () => {
    for (const entry of adminCommands) {
      const command = await entry.load();
      expect([command.name, command.summary]).toEqual([entry.name, entry.summary]);
      expect(command.examples?.every((example) => example.startsWith(`qvd ${entry.name}`))).toBe(true);
    }
  });

  test("list as aligned columns for people and JSON for programs", async () => {
    const { out } = await type("vm list", [], { state: "running" });
    const [headings = "", first = ""] = out.split("\n");
    expect(headings).toMatch(/^ID +NAME +USER +STATE +SESSION +IMAGE +ADDRESS +NODE$/);
    expect(first.indexOf("office:default")).toBe(headings.indexOf("IMAGE"));
    expect(out).toContain("dmitri-desk-4");
    const json = JSON.parse((await type("vm list", [], { json: true })).out);
    expect(json.length).toBe(9);
  });

  test("list sessions, and end one after a rehearsal", async () => {
    const { out } = await type("session list", [], { state: "connected" });
    expect(out).toMatch(/^ID +VM +USER +STATE +FROM +BEGAN +ENDED +WHY\n/);
    const [session] = JSON.parse((await type("session list", [], { json: true })).out);
    const id = String(session.id);
    expect((await type("session show", [id])).out).toContain("shown by");
    const rehearsed = await type("session end", [id], { "dry-run": true });
    expect(rehearsed.err).toBe(
      `session ${id} of ${session.user} at ${session.vm} is connected; it would be ended\n`,
    );
    expect((await type("session end", [id])).err).toContain(`asked for the end of session ${id}`);
    expect((await type("session end", [id])).code).toBe(1);
    expect((await type("session show", ["ann"])).err).toContain("SESSION is an id");
    expect((await type("session list", [], { vm: session.vm })).out).toContain(session.vm);
  });

  test("manage a user by name, with a password that is made up and told once", async () => {
    const made = await type("user create", ["otto"], { name: "Otto", generate: true });
    expect(made.out).toMatch(/^[a-z2-8]{5}(-[a-z2-8]{5}){3}\n$/);
    expect(made.err).toContain("created user otto");
    expect((await type("user change", ["otto"], { name: "Otto Maier" })).err).toContain("changed user otto");
    expect((await type("user block", ["otto"])).err).toContain("blocked user otto");
    expect((await type("user show", ["otto@default"])).out).toMatch(/name +Otto Maier\nblocked +yes/);
    expect((await type("user unblock", ["otto"])).code).toBe(0);
    expect((await type("user set-password", ["otto"], { generate: true })).out.length).toBe(24);
    expect((await type("user delete", ["otto"], { "dry-run": true })).err).toContain(
      "would delete user otto",
    );
    expect((await type("user delete", ["otto"])).code).toBe(0);
    expect((await type("user show", ["otto"])).err).toContain(
      "there is no user named otto; `qvd user list` lists them",
    );
  });

  test("make no password up for somebody who comes with QVD 4's hash", async () => {
    const both = await type("user create", ["lena"], { generate: true, "qvd4-hash": true });
    expect({ code: both.code, says: both.err }).toMatchObject({ code: 1 });
    expect(both.err).toContain("--generate and --qvd4-hash exclude each other");
  });

  test("take QVD 4's second factor on stdin, and say nothing of it", async () => {
    const secret = "GEZDGNBVGY3TQOJQ";
    const set = async () => {
      const running = Bun.spawn(
        [process.execPath, `${import.meta.dir}/../../src/main.ts`, "user", "set-second-factor", "eva"],
        {
          stdin: Buffer.from(`${secret}\n`),
          stdout: "pipe",
          stderr: "pipe",
          env: { ...process.env, HOME: home, QVD_API_URL: wat.url, QVD_API_CA: wat.caFile, ...ADMIN },
        },
      );
      const [out, err] = await Promise.all([running.stdout.text(), running.stderr.text()]);
      return { code: await running.exited, out, err };
    };
    await type("user create", ["eva"], { generate: true });
    expect(await set()).toEqual({ code: 0, out: "", err: "set the second factor of user eva\n" });
    const again = await set();
    expect(again.code).toBe(1);
    expect(again.err).toContain("has a second factor already; reset it first");
    expect(again.err).not.toContain(secret);
    expect((await type("user reset-second-factor", ["eva"])).code).toBe(0);
  }, 30_000);

  test("promise nothing by --dry-run that is refused afterwards, and change nothing by it", async () => {
    const owner = await type("user delete", ["ann"], { "dry-run": true });
    expect({ code: owner.code, says: owner.err }).toMatchObject({ code: 1 });
    expect(owner.err).toContain("desktops");
    expect((await type("vm delete", ["dmitri-desk-4"], { "dry-run": true })).err).toContain("stop it first");
    expect((await type("image delete", ["office:2026-10-01"], { "dry-run": true })).code).toBe(1);
    expect((await type("vm delete", ["ann-desk-1"], { "dry-run": true })).err).toContain(
      "would delete desktop",
    );
    expect((await type("vm show", ["ann-desk-1"])).code).toBe(0);
  });

  test("manage a desktop from its creation to its end", async () => {
    expect((await type("vm create", ["cli-desk"], { user: "ann", osf: "office" })).err).toContain(
      "created desktop cli-desk",
    );
    expect((await type("vm explain", ["cli-desk"])).out).toContain("\nNothing has happened to it yet.\n");
    const mistyped = await type("vm change", ["cli-desk"], { tag: "prevoius" });
    expect(mistyped.err).toContain("no image of office has the tag prevoius yet");
    expect((await type("vm change", ["cli-desk"], { tag: "previous" })).err).toBe(
      "changed desktop cli-desk\n",
    );
    expect((await type("vm start", ["cli-desk", "cli-desk"], { "dry-run": true })).err).toBe(
      "would wish 1 desktop running\n",
    );
    expect((await type("vm start", [])).err).toContain("name desktops, or give one of");
    expect((await type("vm start", ["cli-desk"])).err).toContain("qvd vm explain cli-desk");
    expect((await type("vm start", ["cli-desk", "cli-desk"])).err).toContain("1 wished so already");
    const explained = await type("vm explain", ["cli-desk"]);
    expect(explained.out).toContain("Asked to start. (administrator admin)");
    expect(explained.out).toMatch(
      /^Wished {3}Running, [0-9]+ s ago: administrator admin asked for it\.\nTrue {5}It is stopped/,
    );
    expect(explained.out).toMatch(/\nNext {5}It is placed as soon as a node can take it/);
    const json = JSON.parse((await type("vm explain", ["cli-desk"], { json: true })).out);
    expect(json.explanation).toMatchObject({ candidates: [], tried: [] });
    expect((await type("vm delete", ["cli-desk"])).err).toContain(
      "is stopped, but somebody wants it to run; stop it first",
    );
    expect((await type("vm stop", ["cli-desk"])).code).toBe(0);
    expect((await type("vm block", ["cli-desk"], { reason: "spare part" })).code).toBe(0);
    expect((await type("vm show", ["cli-desk"])).out).toContain("yes: spare part");
    expect((await type("vm unblock", ["cli-desk"])).code).toBe(0);
    expect((await type("vm disconnect", ["cli-desk"])).code).toBe(0);
    expect((await type("vm delete", ["cli-desk"])).code).toBe(0);
  });

  test("send an image, create its OSF, and move tags", async () => {
    const file = `${home}/small.tar`;
    await writeFile(file, "not much of an image");
    const added = await type("image add", [file], {
      osf: "fresh",
      "create-osf": true,
      version: "v1",
      "no-wait": true,
    });
    expect(added.err).toContain("enrolled fresh:v1");
    expect(await Bun.file(`${wat.incomingFolder}/small.tar`).text()).toBe("not much of an image");
    const missing = await type("image add", [`${home}/none.tar`], { osf: "hasty", "create-osf": true });
    expect(missing.err).toContain("there is no file");
    expect((await type("osf list")).out).not.toContain("hasty");
    await wat.database.open("qvd_owner").sql`update dis set state = 'ready' where file_name = 'small.tar'`;
    expect((await type("image tag", ["fresh:v1", "default"])).code).toBe(0);
    expect((await type("image list", [], { osf: "fresh" })).out).toMatch(/fresh:v1 +ready +default/);
    expect((await type("image tag", ["fresh:v1", "pilot"])).code).toBe(0);
    expect((await type("image untag", ["fresh:v1", "pilot"])).code).toBe(0);
    expect((await type("image block", ["fresh:v1"])).code).toBe(0);
    expect((await type("image unblock", ["fresh:v1"])).code).toBe(0);
    expect((await type("image delete", ["fresh:v1"])).code).toBe(0);
    expect((await type("osf change", ["fresh"], { memory: "512" })).code).toBe(0);
    const policy = { "idle-stop": "15m", "on-crash": "leave", "home-limit": "256", neighbours: "yes" };
    expect((await type("osf change", ["fresh"], policy)).code).toBe(0);
    expect((await type("osf show", ["fresh"])).out).toMatch(
      /idle stop +15m\non crash +leave\nneighbours +yes/,
    );
    expect((await type("osf change", ["fresh"], { "idle-stop": "soon" })).err).toContain("15m, 2h or 3d");
    expect((await type("osf list")).out).toMatch(/fresh +default +512 MB/);
    expect((await type("osf create", ["fresh"])).err).toContain("exists already");
    // What --create-osf made has the limits that are proposed, but for what was changed since.
    expect((await type("osf show", ["fresh"])).out).toMatch(/home limit +256 MB\nsystem limit +10240 MB/);
  });

  test("propose limits for the disks of a new OSF, and take a word that there are none", async () => {
    expect((await type("osf create", ["bounded"])).err).toMatch(
      /created OSF bounded .*: 1024 MB, 2 CPUs, homes of at most 10240 MB, systems of at most 10240 MB\n$/,
    );
    const none = { "home-limit": "none", "system-limit": "none" };
    expect((await type("osf create", ["boundless"], none)).err).toContain(
      "homes of no limit, systems of no limit",
    );
    expect((await type("osf create", ["machine"], { hypervisor: "kvm" })).err).toMatch(
      /homes of at most 10240 MB\n$/,
    );
    // Before anything is built for minutes.
    expect((await type("image build", ["appliance/images/light"], { enrol: "machine" })).err).toContain(
      "machine is of virtual machines: their image is a disk",
    );
  });

  test("wait for an image that gets a tag until it is verified, and say why one can't be used", async () => {
    const file = `${home}/broken.tar`;
    await writeFile(file, "broken");
    const adding = type("image add", [file], { osf: "office", tag: "default", version: "broken" });
    const owner = wat.database.open("qvd_owner").sql;
    const { waitFor } = await import("../../src/lib/wait.ts");
    await waitFor(async () => (await owner`select 1 from dis where version = 'broken'`).length === 1, {
      timeoutMs: 15_000,
    });
    await owner`update dis set state = 'failed', fault = 'it is no archive' where version = 'broken'`;
    const told = await adding;
    expect(told.code).toBe(1);
    expect(told.err).toContain("is not usable: it is no archive");
  }, 15_000);

  test("replace control characters, which could drive the terminal", async () => {
    await wat.database.open("qvd_owner")
      .sql`update users set full_name = ${"a\u001b[31mred"} where login = 'bob'`;
    const { out } = await type("user list");
    expect(out).toContain("a?[31mred");
  });
});

describe("who is signed in", () => {
  test("is told by name when nobody is", async () => {
    expect((await type("vm list", [], {}, {})).err).toContain("qvd admin sign-in");
  });

  test("is refused with a wrong password, and by a server whose authority isn't known", async () => {
    const wrong = { QVD_LOGIN: "admin", QVD_PASSWORD: "wrong" };
    expect((await type("vm list", [], {}, wrong)).err).toContain("don't belong together");
    const stranger = {
      QVD_LOGIN: "admin",
      QVD_PASSWORD: PASSWORD,
      QVD_API_CA: "/etc/ssl/certs/ca-certificates.crt",
    };
    expect((await type("vm list", [], {}, stranger)).err).toContain("QVD_API_CA");
  });

  test("keeps the token in a file of their own, until signed out", async () => {
    const { keepToken, signIn } = await import("../../src/cli/api-client.ts");
    const place = { url: wat.url, caFile: wat.caFile };
    const file = await keepToken(
      { HOME: home },
      place,
      await signIn(place, { login: "admin", password: PASSWORD }),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await type("vm list", [], {}, {})).code).toBe(0);
    expect((await type("vm list", [], {}, { QVD_API_URL: "https://elsewhere.test" })).err).toContain(
      "not signed in at",
    );
    expect((await type("admin sign-out", [], {}, {})).code).toBe(0);
    expect((await type("vm list", [], {}, {})).err).toContain("nobody is signed in");
  });
});
