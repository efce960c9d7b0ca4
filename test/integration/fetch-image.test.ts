/** Fetching images over real sockets, by the real sandboxed program, from servers that mean well and others. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { isAppError } from "../../src/lib/errors.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { type FetchOptions, fetchImage } from "../../src/storage/fetch/fetch-image.ts";
import { mayReachPublic } from "../../src/storage/fetch/resolve-host.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";

let folder: string;
let server: FileServer;
let progress: [number, number | undefined][];
beforeEach(async () => {
  folder = await mkdtemp("/var/tmp/qvd-fetch-");
  progress = [];
  server = await startFileServer(Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const image = () => `${folder}/desk.tar`;

function fetchIt(options: Partial<FetchOptions> = {}, signal = new AbortController().signal) {
  return fetchImage(
    {
      url: server.url,
      path: image(),
      reserveBytes: 0,
      stallSeconds: 2,
      mostTries: 3,
      firstRetryMs: 10,
      lookup: async () => ["127.0.0.1"],
      mayReach: (address) => address === "127.0.0.1",
      onProgress: (done, total) => void progress.push([done, total]),
      ...options,
    },
    signal,
  );
}
const refusal = async (attempt: Promise<unknown>) =>
  await attempt.then(
    () => "fetched",
    (error) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`),
  );
const isWhole = async () => (await readFile(image())).equals(server.content);

describe("a file", () => {
  test("arrives whole, with its progress told, and leaves nothing else", async () => {
    expect(await fetchIt()).toEqual({ sizeBytes: 60_000 });
    expect(await isWhole()).toBe(true);
    expect(await readdir(folder)).toEqual(["desk.tar"]);
    expect(progress.at(-1)).toEqual([60_000, 60_000]);
    expect(progress.map(([done]) => done)).toEqual(progress.map(([done]) => done).toSorted((a, b) => a - b));
  });

  test("comes from a name that was resolved here, and nowhere else", async () => {
    const url = `http://images.test:${server.port}/desk.tar`;
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return ["127.0.0.1"];
    };
    await fetchIt({ url, lookup });
    expect(asked).toEqual(["images.test"]);
    expect(await isWhole()).toBe(true);
  });

  test("comes by way of redirects, each resolved anew", async () => {
    server.moods.push(
      { do: "status", status: 302, headers: { Location: "/other" } },
      { do: "status", status: 307, headers: { Location: `http://other.test:${server.port}/x` } },
    );
    await fetchIt();
    expect(await isWhole()).toBe(true);
  });
});

describe("a connection that breaks", () => {
  test("is taken up where it ended", async () => {
    server.moods.push({ do: "break-off", afterBytes: 20_000 }, { do: "break-off", afterBytes: 20_000 });
    await fetchIt();
    expect(await isWhole()).toBe(true);
    expect(server.ranges).toEqual([undefined, "bytes=20000-", "bytes=40000-"]);
  });

  test("is given up on after so many tries that bring nothing, and taken up by the next who asks", async () => {
    server.moods.push({ do: "break-off", afterBytes: 20_000 });
    for (let i = 0; i < 3; i++) server.moods.push({ do: "status", status: 503 });
    expect(await refusal(fetchIt())).toMatch(/^unavailable: .*503; 3 tries in a row/);
    expect((await readFile(`${image()}.part`)).length).toBe(20_000);
    await fetchIt();
    expect(server.ranges.at(-1)).toBe("bytes=20000-");
    expect(await isWhole()).toBe(true);
  });

  test("to a file that has changed since begins again", async () => {
    server.moods.push({ do: "break-off", afterBytes: 20_000 }, { do: "status", status: 500 });
    const fetching = fetchIt();
    server.content = Buffer.from(crypto.getRandomValues(new Uint8Array(30_000)));
    // The tag that the partial file was noted with is another's now.
    setTimeout(() => {
      server.etag = '"two"';
    }, 60);
    await fetching;
    expect((await readFile(image())).length).toBe(30_000);
    expect(await isWhole()).toBe(true);
  });

  test("to a server that proves nothing begins again", async () => {
    server.etag = undefined;
    server.moods.push({ do: "break-off", afterBytes: 20_000 });
    await fetchIt();
    expect(server.ranges).toEqual([undefined, undefined]);
    expect(await isWhole()).toBe(true);
  });

  test("by falling silent is noticed in time", async () => {
    server.moods.push({ do: "fall-silent", afterBytes: 20_000 });
    await fetchIt({ stallSeconds: 1 });
    expect(server.ranges).toEqual([undefined, "bytes=20000-"]);
    expect(await isWhole()).toBe(true);
  }, 15_000);

  test("because nobody listens is told", async () => {
    await server[Symbol.asyncDispose]();
    expect(await refusal(fetchIt())).toMatch(/^unavailable: the connection failed/);
    server = await startFileServer(Buffer.from("x"));
  });

  test("by our own order ends at once and keeps what came", async () => {
    const off = new AbortController();
    server.moods.push({ do: "fall-silent", afterBytes: 20_000 });
    const fetching = refusal(fetchIt({ stallSeconds: 60, onProgress: () => off.abort() }, off.signal));
    expect(await fetching).toMatch(/abort/i);
    expect(existsSync(`${image()}.part`)).toBe(true);
  });
});

describe("an address that leads inside", () => {
  test.each([
    ["http://127.0.0.1/x", "127.0.0.1 is not an address of the public internet"],
    ["http://169.254.169.254/latest/meta-data", "169.254.169.254 is not an address"],
    ["http://[::1]/x", "::1 is not an address"],
    ["http://[::ffff:10.0.0.1]/x", "is not an address"],
    ["http://0x0a000001/x", "10.0.0.1 is not an address"],
  ])("is refused: %s", async (url, words) => {
    expect(await refusal(fetchIt({ url, mayReach: mayReachPublic }))).toContain(words);
  });

  test("is refused when a name hides it, also as one of several", async () => {
    const lookup = async () => ["93.184.215.14", "10.0.0.5"];
    const said = await refusal(fetchIt({ url: "http://images.test/x", lookup, mayReach: mayReachPublic }));
    expect(said).toMatch(
      /^forbidden: images\.test doesn't lead to an address of the public .* QVD_IMAGE_PRIVATE_URLS/,
    );
  });

  test("is refused after a redirect", async () => {
    server.moods.push({ do: "status", status: 302, headers: { Location: "http://127.0.0.2:1/secret" } });
    expect(await refusal(fetchIt())).toStartWith("forbidden: 127.0.0.2 is not");
    server.moods.push({ do: "status", status: 302, headers: { Location: "file:///etc/passwd" } });
    expect(await refusal(fetchIt())).toContain("redirects to must begin with https");
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("what a server can do wrong", () => {
  test.each([
    ["not there", { do: "status", status: 404 }, /^image-broken: the server answers 404/],
    ["going round", undefined, /redirects more than 5 times/],
    ["no HTTP", { do: "raw", text: "SSH-2.0-x\r\n\r\n" }, /^(unavailable|image-broken): /],
    [
      "compressed",
      { do: "raw", text: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc" },
      /another encoding/,
    ],
    [
      "a range of its own",
      { do: "raw", text: "HTTP/1.1 206 P\r\nContent-Range: bytes 7-9/10\r\nContent-Length: 3\r\n\r\nabc" },
      /another range/,
    ],
    ["nothing", { do: "raw", text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, /empty file/],
    [
      "too large",
      { do: "raw", text: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nabc" },
      /larger than any image/,
    ],
  ] as const)("%s is told", async (what, mood, words) => {
    if (mood !== undefined) for (let i = 0; i < 3; i++) server.moods.push(mood);
    else
      for (let i = 0; i < 9; i++)
        server.moods.push({ do: "status", status: 301, headers: { Location: "/round" } });
    expect([what, await refusal(fetchIt())]).toEqual([what, expect.stringMatching(words)]);
    expect(existsSync(image())).toBe(false);
  });

  test("too large for the disk is told before anything is written", async () => {
    expect(await refusal(fetchIt({ reserveBytes: 2 ** 60 }))).toMatch(
      /^storage-full: there is no room for its 1 MB/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test("more than the disk can hold, which nobody said before, is told, and what came stays for later", async () => {
    const small = `${folder}/small`;
    await mkdir(small);
    await runOk("making a small disk", ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1m", "none", small]);
    try {
      server.moods.push({
        do: "raw",
        text: `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${"x".repeat(3_000_000)}`,
      });
      expect(await refusal(fetchIt({ path: `${small}/desk.tar` }))).toMatch(
        /^storage-full: there is no room on the disk/,
      );
      expect(await readdir(small)).toEqual(["desk.tar.part"]);
    } finally {
      await runOk("removing the small disk", ["/usr/bin/umount", small]);
    }
  });

  test("a certificate of nobody's is told", async () => {
    await using other = {
      server: Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        tls: await makeTls(folder),
        fetch: () => new Response("x"),
      }),
      async [Symbol.asyncDispose]() {
        await this.server.stop(true);
      },
    };
    const said = await refusal(fetchIt({ url: `https://127.0.0.1:${other.server.port}/x` }));
    expect(said).toMatch(/^image-broken: the server's certificate/);
  });
});

async function makeTls(place: string): Promise<{ key: string; cert: string }> {
  await run([
    ...["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-days", "1", "-subj", "/CN=x", "-keyout", `${place}/key`, "-out", `${place}/cert`],
  ]);
  return { key: await readFile(`${place}/key`, "utf8"), cert: await readFile(`${place}/cert`, "utf8") };
}
