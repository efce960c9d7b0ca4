/** What the test of a directory tells a tenant's own administrators of places that are none, and the site's of the same. */

import { afterAll, describe, expect, test } from "bun:test";
import type { Server, Socket } from "node:net";
import { testDirectory } from "../../src/auth/ldap/test-directory.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { freePort } from "../support/directory-server.ts";
import { patternSettings, resolveSettings, type Values } from "../support/ldap-asker.ts";
import { listenPlain, portOf } from "../support/listen-plain.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import { useDirectory } from "../support/use-directory.ts";

const directory = useDirectory();
const opened: Server[] = [];
afterAll(() => {
  for (const server of opened) server.close();
});

async function place(greet: (socket: Socket) => void): Promise<string> {
  const server = await listenPlain(greet);
  opened.push(server);
  return `localhost:${portOf(server)}`;
}

const IN_THE_CLEAR = { "auth.ldap.starttls": false, "auth.ldap.plaintext": true, "auth.ldap.timeout": 1 };

async function ask(host: string, { isByTenant = true, ...more }: Values & { isByTenant?: boolean } = {}) {
  const settings = { ...patternSettings(directory()), ...IN_THE_CLEAR, "auth.ldap.host": [host], ...more };
  const { values, secretKey } = resolveSettings(settings);
  const startMs = performance.now();
  const signal = AbortSignal.timeout(20_000);
  const [tested] = await testDirectory({ secretKey, systemAuthorities: "" }, values, {
    ...{ login: "ann", isByTenant, signal },
  });
  const [first] = tested?.steps ?? [];
  return { ...first, count: tested?.steps.length, tookMs: performance.now() - startMs };
}

const PLACES: readonly (readonly [name: string, host: () => string | Promise<string>])[] = [
  ["where nothing listens", async () => `localhost:${await freePort()}`],
  ["that has no name", () => "no-such-host.invalid"],
  ["that says nothing", () => place(() => {})],
  ["that hangs up", () => place((socket) => void socket.end())],
  ["that hangs up when asked", () => place((socket) => void socket.once("data", () => socket.destroy()))],
  ["that speaks SSH", () => place((socket) => void socket.write("SSH-2.0-OpenSSH_9.2\r\n"))],
  [
    "that answers like a web server",
    () => place((socket) => void socket.once("data", () => socket.end("HTTP/1.1 400\r\n\r\n"))),
  ],
  [
    "that says almost LDAP",
    () => place((socket) => void socket.write(Buffer.from([0x30, 5, 2, 1, 1, 0x99, 0]))),
  ],
  ["that says zeros", () => place((socket) => void socket.write(Buffer.alloc(4_096)))],
  [
    "of the site's database",
    () => place((socket) => void socket.once("data", () => socket.end("E\0\0\0\x08FATA"))),
  ],
];

describe("a tenant's own administrators learn the same, as late, of a place", () => {
  test(PLACES.map(([name]) => name).join(", "), async () => {
    const told = await Promise.all(
      PLACES.map(async ([name, host]) => ({ name, ...(await ask(await host())) })),
    );
    for (const { tookMs, ...one } of told) {
      expect(one).toEqual({
        ...{ name: one.name, what: "Connect", isGood: false, count: 1 },
        text: "It can't be reached, or is no directory whose certificate is trusted. The site's administrators are told more here.",
      });
      expect(tookMs, one.name).toBeGreaterThanOrEqual(1_240);
    }
  });

  test("that speaks TLS with a certificate they named, and no LDAP", async () => {
    const { tlsKey: key, tlsCertificate: cert } = await createTlsPair();
    const server = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0, tls: { key, cert } },
      socket: { data: (socket) => void socket.write("220 mail\r\n") },
    });
    const told = await ask(`ldaps://localhost:${server.port}`, { "auth.ldap.ca": cert });
    server.stop(true);
    expect(told).toMatchObject({ isGood: false, text: expect.stringContaining("It can't be reached") });
    expect(told.tookMs).toBeGreaterThanOrEqual(1_240);
  });
});

test("the site's administrators are told what it is", async () => {
  const site = { isByTenant: false };
  expect((await ask(`localhost:${await freePort()}`, site)).text).toContain("Nothing listens");
  expect((await ask(await place((socket) => void socket.end()), site)).text).toContain(
    "closed the connection",
  );
  expect((await ask(await place(() => {}), site)).text).toContain("too long");
});

test("a directory answers, in the clear as well, also where nobody may search it unproved", async () => {
  const host = `localhost:${directory().port}`;
  expect(await ask(host)).toMatchObject({
    what: "Connect",
    isGood: true,
    text: expect.stringContaining("in the clear"),
  });
  // `insufficientAccessRights` to the message that came: an answer all the same.
  const refusal = (id: number) => Buffer.from([0x30, 0x0c, 2, 1, id, 0x65, 7, 0x0a, 1, 50, 4, 0, 4, 0]);
  const shy = await place(
    (socket) => void socket.once("data", (asked: Buffer) => socket.write(refusal(asked[4] ?? 0))),
  );
  expect(await ask(shy)).toMatchObject({ what: "Connect", isGood: true });
});

test("what the test opened, it closes", async () => {
  let isClosed = false;
  const host = await place((socket) => {
    socket.resume().once("close", () => {
      isClosed = true;
    });
  });
  await ask(host, { isByTenant: false });
  expect(await waitFor(() => isClosed, { timeoutMs: 15_000, everyMs: 10 })).toBe(true);
});
