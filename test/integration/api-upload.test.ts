/** Uploads over a real socket: whole, too large, broken off, twice, and with names that mean harm. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { waitFor } from "../../src/lib/wait.ts";
import { type AdminApp, createAdminApp, type SignedInAs } from "../support/admin-app.ts";

let admin: AdminApp;
let me: SignedInAs;
let server: Bun.Server<undefined>;

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 2 ** 40,
    fetch: (request) => admin.app.fetch(request, {}),
  });
});

afterAll(async () => {
  await server.stop(true);
  await admin.stop();
});

function put(
  name: string,
  body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  as: SignedInAs = me,
): Promise<Response> {
  const headers = { Authorization: `Bearer ${as.token}` };
  return fetch(`${server.url}api/v1/images/upload?name=${encodeURIComponent(name)}`, {
    method: "PUT",
    body,
    headers,
  });
}

describe("an upload", () => {
  test("arrives whole, also in many pieces without a length", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    expect(await (await put("whole.tar", bytes)).json()).toEqual({
      fileName: "whole.tar",
      sizeBytes: 60_000,
    });
    expect(await Bun.file(`${admin.incomingFolder}/whole.tar`).bytes()).toEqual(bytes);
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 7_000) controller.enqueue(bytes.subarray(at, at + 7_000));
        controller.close();
      },
    });
    expect((await put("pieces.tar", pieces)).status).toBe(201);
    expect(await Bun.file(`${admin.incomingFolder}/pieces.tar`).bytes()).toEqual(bytes);
  });

  test("is not held in memory", async () => {
    const before = process.memoryUsage.rss();
    const chunk = new Uint8Array(1 << 20);
    let left = 300;
    const large = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk);
        else controller.close();
      },
    });
    expect((await put("large.tar", large)).status).toBe(201);
    // Sender and receiver are both in this process.
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 2 ** 20);
  }, 30_000);

  test("never replaces a file that is there", async () => {
    await put("once.tar", "first");
    const second = await put("once.tar", "second");
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ error: { code: "conflict", field: "name" } });
    expect(await Bun.file(`${admin.incomingFolder}/once.tar`).text()).toBe("first");
  });

  test("of two at once keeps exactly one", async () => {
    const answers = await Promise.all([
      put("race.tar", "a".repeat(100_000)),
      put("race.tar", "b".repeat(100_000)),
    ]);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
  });

  test("with a name that is no plain file name is refused", async () => {
    for (const name of ["", "../up.tar", "/etc/passwd", ".hidden", "a b", "x/y", "ü.tar", "a".repeat(200)]) {
      const answer = await put(name, "x");
      expect([name, answer.status]).toEqual([name, 422]);
    }
  });

  test("of nothing is refused", async () => {
    expect((await put("empty.tar", "")).status).toBe(422);
  });

  test("that breaks off leaves nothing behind", async () => {
    const socket = connect(Number(server.port), "127.0.0.1");
    socket.write(
      `PUT /api/v1/images/upload?name=broken.tar HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${me.token}\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(50_000)}`,
    );
    const begun = await waitFor(
      async () => (await readdir(admin.incomingFolder)).some((name) => name.includes("broken")),
      {
        timeoutMs: 15_000,
      },
    );
    expect(begun).toBe(true);
    socket.destroy();
    const isGone = await waitFor(
      async () => !(await readdir(admin.incomingFolder)).some((name) => name.includes("broken")),
      {
        timeoutMs: 15_000,
      },
    );
    expect(isGone).toBe(true);
  }, 15_000);

  test("for which there is no room is refused before it begins", async () => {
    const full = await createAdminApp({ leastFreeBytes: 2 ** 60 });
    const token = (await full.signIn("admin")).token;
    const answer = await full.app.request("https://wat.test/api/v1/images/upload?name=big.tar", {
      method: "PUT",
      headers: { Authorization: `Bearer ${token}` },
      body: "x",
    });
    expect(answer.status).toBe(507);
    expect(await answer.json()).toMatchObject({ error: { code: "storage-full" } });
    expect(await readdir(full.incomingFolder)).toEqual([]);
    await full.stop();
  });
});

describe("an upload in parts", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  const address = (name: string, id: string) => `${server.url}api/v1/images/upload?name=${name}&upload=${id}`;
  const part = (name: string, [from, end]: readonly [number, number], id = "abcdefgh1234") =>
    fetch(address(name, id), {
      method: "PUT",
      headers: {
        Authorization: `Bearer ${me.token}`,
        "Content-Range": `bytes ${from}-${end - 1}/${bytes.length}`,
      },
      body: bytes.subarray(from, end),
    });
  const ask = async (name: string, id = "abcdefgh1234") =>
    await (await fetch(address(name, id), { headers: { Authorization: `Bearer ${me.token}` } })).json();

  test("comes together in order, and only then has its name", async () => {
    expect(await ask("parts.tar")).toEqual({ receivedBytes: 0 });
    const first = await part("parts.tar", [0, 20_000]);
    expect([first.status, await first.json()]).toEqual([202, { receivedBytes: 20_000 }]);
    expect(await ask("parts.tar")).toEqual({ receivedBytes: 20_000 });
    expect(await readdir(admin.incomingFolder)).not.toContain("parts.tar");
    const last = await part("parts.tar", [20_000, 50_000]);
    expect([last.status, await last.json()]).toEqual([201, { fileName: "parts.tar", sizeBytes: 50_000 }]);
    expect(await Bun.file(`${admin.incomingFolder}/parts.tar`).bytes()).toEqual(bytes);
    expect((await readdir(admin.incomingFolder)).filter((name) => name.startsWith(".parts"))).toEqual([]);
  });

  test("refuses a part with a gap or twice, and says where to go on", async () => {
    await part("gap.tar", [0, 10_000]);
    for (const range of [
      [20_000, 30_000],
      [0, 10_000],
    ] as const) {
      const answer = await part("gap.tar", range);
      expect(answer.status).toBe(409);
      expect(JSON.stringify(await answer.json())).toContain("goes on at byte 10000");
    }
  });

  test("that breaks off goes on where it ended", async () => {
    const socket = connect(Number(server.port), "127.0.0.1");
    socket.write(
      [
        "PUT /api/v1/images/upload?name=broke.tar&upload=abcdefgh1234 HTTP/1.1",
        ...["Host: x", `Authorization: Bearer ${me.token}`, `Content-Range: bytes 0-49999/${bytes.length}`],
        ...["Content-Length: 50000", "", ""],
      ].join("\r\n"),
    );
    socket.write(bytes.subarray(0, 30_000));
    const kept = () => ask("broke.tar") as Promise<{ receivedBytes: number }>;
    await waitFor(async () => (await kept()).receivedBytes === 30_000, { timeoutMs: 15_000 });
    socket.destroy();
    expect((await part("broke.tar", [30_000, 50_000])).status).toBe(201);
    expect(await Bun.file(`${admin.incomingFolder}/broke.tar`).bytes()).toEqual(bytes);
  }, 15_000);

  test("of which a part comes twice at once is whole all the same", async () => {
    await part("twice.tar", [0, 10_000]);
    const answers = await Promise.all([
      part("twice.tar", [10_000, 30_000]),
      part("twice.tar", [10_000, 30_000]),
    ]);
    expect(answers.map((answer) => answer.status)).toContain(202);
    expect((await part("twice.tar", [30_000, 50_000])).status).toBe(201);
    expect(await Bun.file(`${admin.incomingFolder}/twice.tar`).bytes()).toEqual(bytes);
  });

  test("of two people under one name are two", async () => {
    await part("two.tar", [0, 10_000], "aaaaaaaaaaaa");
    expect((await part("two.tar", [0, 50_000], "bbbbbbbbbbbb")).status).toBe(201);
    expect((await part("two.tar", [10_000, 50_000], "aaaaaaaaaaaa")).status).toBe(409);
    expect((await part("two.tar", [0, 10_000], "cccccccccccc")).status).toBe(409);
  });

  test.each([
    ["no range", { name: "x.tar", id: "abcdefgh1234", range: "" }],
    ["a range that is none", { name: "x.tar", id: "abcdefgh1234", range: "bytes 9-3/10" }],
    ["a range beyond the end", { name: "x.tar", id: "abcdefgh1234", range: "bytes 0-10/10" }],
    ["an id that is a path", { name: "x.tar", id: "..%2F..%2Fabcdefgh", range: "bytes 0-0/10" }],
    ["a name that is a path", { name: "..%2Fx.tar", id: "abcdefgh1234", range: "bytes 0-0/10" }],
  ])("is refused with %s", async (_what, { name, id, range }) => {
    const answer = await fetch(address(name, id), {
      method: "PUT",
      headers: { Authorization: `Bearer ${me.token}`, "Content-Range": range },
      body: "x",
    });
    expect(answer.status).toBe(422);
  });
});

test("the incoming folder lists what may be enrolled, and nothing else", async () => {
  await writeFile(`${admin.incomingFolder}/by-hand.tar`, "12345");
  await writeFile(`${admin.incomingFolder}/.by-hand.part`, "12345");
  await mkdir(`${admin.incomingFolder}/folder`);
  const headers = { Authorization: `Bearer ${me.token}` };
  const answer = await (await fetch(`${server.url}api/v1/images/incoming`, { headers })).json();
  const { items } = answer as { items: { name: string }[] };
  expect(items).toContainEqual({ name: "by-hand.tar", sizeBytes: 5 } as never);
  expect(items.map((item) => item.name)).not.toContain("folder");
  expect(items.every((item) => !item.name.startsWith("."))).toBe(true);
});

describe("files of a tenant's administrators", () => {
  const as = (who: SignedInAs) => ({ Authorization: `Bearer ${who.token}` });
  const namesSeenBy = async (who: SignedInAs) => {
    const answer = await (await fetch(`${server.url}api/v1/images/incoming`, { headers: as(who) })).json();
    return (answer as { items: { name: string }[] }).items.map((item) => item.name);
  };
  const enrol = (who: SignedInAs, fields: object) =>
    fetch(`${server.url}api/v1/images`, {
      method: "POST",
      headers: { ...as(who), "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    });

  test("are theirs: they see and enrol no others, and their names take nobody's", async () => {
    const acme = await admin.signIn("acme-admin");
    await put("secret.tar", "the site's", me);
    const { fileName } = (await (await put("secret.tar", "acme's", acme)).json()) as { fileName: string };
    expect(fileName).toMatch(/^tenant-\d+\.secret\.tar$/);
    expect(await namesSeenBy(acme)).toEqual([fileName]);
    expect(await namesSeenBy(me)).toContain(fileName);

    const osf = (await (
      await fetch(`${server.url}api/v1/osfs`, {
        method: "POST",
        headers: { ...as(acme), "Content-Type": "application/json" },
        body: JSON.stringify({ name: "acme-desk" }),
      })
    ).json()) as { id: number };
    expect((await enrol(acme, { osfId: osf.id, fileName: "secret.tar" })).status).toBe(404);
    expect((await enrol(acme, { osfId: osf.id, fileName })).status).toBe(201);
  });

  test("in parts are theirs as well: another tenant can't go on with an upload whose id it knows", async () => {
    const acme = await admin.signIn("acme-admin");
    const address = `${server.url}api/v1/images/upload?name=half.tar&upload=knownid123`;
    const range = { "Content-Range": "bytes 0-3/8" };
    await fetch(address, { method: "PUT", headers: { ...as(me), ...range }, body: "site" });
    const asked = await (await fetch(address, { headers: as(acme) })).json();
    expect(asked).toEqual({ receivedBytes: 0 });
  });
});
