/** TLS of the QVD port: versions, clients' certificates and what was revoked, all of it replaced while it runs. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseBalancers } from "../../src/broker/balancers.ts";
import { type ReadTls, readTls, type TlsFiles } from "../../src/broker/tls/read-tls.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { askPing, type VisitOptions } from "../support/ask-ping.ts";
import {
  type BrokerDoor,
  connectRequest,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
} from "../support/broker-door.ts";
import { type ClientAuthority, createClientAuthority, readPair } from "../support/client-authority.ts";
import { greetAs } from "../support/client-hello.ts";
import { openSlowPackets } from "../support/slow-packets.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const ALIVE = "I am alive!";
const SWITCHED = /101 Switching Protocols\r\n.*\r\n\r\n$/;
let clients: ClientAuthority;
let servers: ClientAuthority;
let good: string;
let bad: string;

beforeAll(async () => {
  [clients, servers] = await Promise.all([createClientAuthority(), createClientAuthority("Servers")]);
  [good, bad] = [await clients.issue("good"), await clients.issue("bad")];
  await clients.revoke("bad");
  await clients.list();
  for (const name of ["first", "second"]) await servers.issue(name, 30);
}, 30_000);
afterAll(() => {
  for (const { folder } of [clients, servers]) rmSync(folder, { recursive: true });
});

type Site = {
  readonly door: BrokerDoor;
  readonly files: TlsFiles;
  readonly folder: string;
  readonly states: BrokerState[];
  readonly use: (name: string) => void;
  readonly close: () => Promise<void>;
};

/** A port whose TLS comes from files of its own folder; what comes from 127.0.0.2 comes from a balancer. */
async function openSite(isRequired?: boolean, isBalanced = false): Promise<Site> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-tls-files-`);
  const use = (name: string) => {
    copyFileSync(`${servers.folder}/${name}.key`, `${folder}/tls.key`);
    copyFileSync(`${servers.folder}/${name}.crt`, `${folder}/tls.crt`);
  };
  use("first");
  copyFileSync(clients.certificate, `${folder}/ca.crt`);
  copyFileSync(clients.revoked, `${folder}/crl.pem`);
  const file = (name: string, setting: string) => ({ path: `${folder}/${name}`, setting });
  const files: TlsFiles = {
    key: file("tls.key", "QVD_BROKER_KEY"),
    certificate: file("tls.crt", "QVD_BROKER_CERTIFICATE"),
    ...(isRequired !== undefined && {
      clients: {
        isRequired,
        authorities: file("ca.crt", "QVD_BROKER_CLIENT_CA"),
        revoked: file("crl.pem", "QVD_BROKER_CLIENT_CRL"),
        siteAuthority: { path: servers.certificate, setting: "the site's authority" },
      },
    }),
  };
  const first: ReadTls = await readTls(files, Date.now());
  const states: BrokerState[] = [];
  const door = await openBrokerDoor({
    listen: {
      ...{ ...first.tls, address: "127.0.0.1", port: 0 },
      balancers: isBalanced ? parseBalancers("127.0.0.2") : undefined,
    },
    tls: { files, first },
    limits: { tlsLookMs: 20 },
    onState: (state) => states.push(state),
  });
  const close = async () => {
    await door.close();
    rmSync(folder, { recursive: true });
  };
  return { door, files, folder, states, use, close };
}

/** By their numbers on the wire: AES-128 with GCM and, for the older versions, with CBC, each for ECDSA and RSA. */
const GOOD = [0xc02b, 0xc02f, 0xc009, 0xc013, 0x002f];
/** What QVD 4 left out, each for ECDSA and RSA where there are both. */
const WEAK = [
  // 3DES, RC4, DES and export.
  ...[0xc008, 0xc012, 0x000a, 0xc007, 0xc011, 0x0005, 0x0009, 0x0003, 0x0008],
  // Without encryption, and without a certificate.
  ...[0xc006, 0xc010, 0x003b, 0xc018, 0x0034, 0x006c],
];

describe("TLS", () => {
  test("is 1.2 or 1.3", async () => {
    const { door, close } = await openSite();
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const { text, protocol } = await askPing(door.port, {
        tls: { minVersion: version, maxVersion: version },
      });
      expect([text.includes(ALIVE), protocol]).toEqual([true, version]);
    }
    await close();
  });

  for (const [how, balancers] of [
    ["alone", undefined],
    ["where balancers are listed", parseBalancers("127.0.0.2")],
  ] as const)
    for (const kind of ["ec", "rsa"] as const)
      test(`is nothing older, and has no weak cipher, with a key of ${kind}, ${how}`, async () => {
        const pair = await createTlsPair(kind);
        const door = await openBrokerDoor({ listen: { address: "127.0.0.1", port: 0, ...pair, balancers } });
        const greet = (version: number, ciphers: readonly number[]) =>
          greetAs(door.port, { version, ciphers });
        expect(await greet(0x0303, GOOD)).toBe("hello");
        // 70 is protocol_version, 40 handshake_failure.
        for (const older of [0x0302, 0x0301, 0x0300]) expect(await greet(older, GOOD)).toBe("alert 70");
        expect(await greet(0x0303, WEAK)).toBe("alert 40");
        await door.close();
      });
});

/** Through a balancer the port takes plain TCP first. */
const WAYS: readonly (readonly [string, VisitOptions?])[] = [
  ["coming by themselves"],
  [
    "coming through a balancer",
    { localAddress: "127.0.0.2", before: Buffer.from("PROXY TCP4 198.51.100.7 10.0.0.1 35554 443\r\n") },
  ],
];

describe("clients' certificates", () => {
  const visit = (site: Site, path?: string, more: { version?: "TLSv1.2"; way?: VisitOptions } = {}) =>
    askPing(site.door.port, {
      ...more.way,
      tls: { ...(path && readPair(path)), ...(more.version && { maxVersion: more.version }) },
    });

  test("are asked of nobody unless the site says so", async () => {
    const site = await openSite();
    expect((await visit(site)).text).toContain(ALIVE);
    expect((await visit(site, bad)).text).toContain(ALIVE);
    await site.close();
  });

  for (const [how, way] of WAYS)
    test(`where required, let in who has a good one and nobody else, ${how}`, async () => {
      const site = await openSite(true, way !== undefined);
      const another = await createClientAuthority("Another");
      const stranger = await another.issue("stranger");
      for (const version of [undefined, "TLSv1.2"] as const) {
        const more = { ...(version && { version }), ...(way && { way }) };
        expect((await visit(site, good, more)).text).toContain(ALIVE);
        for (const path of [undefined, bad, stranger])
          expect((await visit(site, path, more)).text).toMatch(/^(closed|error)/);
      }
      rmSync(another.folder, { recursive: true });
      await site.close();
    });

  test("where required, are looked at before what comes in a packet with the handshake's end", async () => {
    const site = await openSite(true);
    const relay = await openSlowPackets(site.door.port, 100);
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const)
      for (const [path, answer] of [
        [good, /I am alive!/],
        [undefined, /^(closed|error)/],
        [bad, /^(closed|error)/],
      ] as const) {
        const { text } = await askPing(relay.port, { tls: { ...(path && readPair(path)), maxVersion } });
        expect(text).toMatch(answer);
      }
    relay.stop();
    await site.close();
  });

  test("where required, let the site's own boxes in, which prove themselves again", async () => {
    const site = await openSite(true);
    expect((await visit(site, `${servers.folder}/second`)).text).toContain(ALIVE);
    await site.close();
  });

  test("where wanted, may be missing and not be bad", async () => {
    const site = await openSite(false);
    expect((await visit(site)).text).toContain(ALIVE);
    expect((await visit(site, good)).text).toContain(ALIVE);
    expect((await visit(site, bad)).text).toMatch(/^(closed|error)/);
    await site.close();
  });

  for (const isBalanced of [false, true])
    test(`revoked while the broker runs, are refused from then on${isBalanced ? ", where balancers are listed" : ""}`, async () => {
      const site = await openSite(true, isBalanced);
      const name = isBalanced ? "latest" : "late";
      const late = await clients.issue(name);
      const resume = (version: string) => askResumed(site.door.port, late, version);
      for (const version of VERSIONS) expect(await resume(version)).toEqual(["New", true]);
      // So that what is refused below was good before.
      for (const version of VERSIONS) expect(await resume(version)).toEqual(["Reused", true]);
      await clients.revoke(name);
      await clients.list();
      copyFileSync(clients.revoked, `${site.folder}/crl.pem`);
      const isRefused = async () => /^(closed|error)/.test((await visit(site, late)).text);
      expect(await waitFor(isRefused, { timeoutMs: 15_000 })).toBe(true);
      // Nor by what it kept of a connection before.
      for (const version of VERSIONS) expect(await resume(version)).toEqual(["New", false]);
      expect((await visit(site, good)).text).toContain(ALIVE);
      await site.close();
    });
});

test("a list that lapses lets nobody in, nor by a TLS session that was kept", async () => {
  await clients.list(10);
  const site = await openSite(true);
  const kept = await clients.issue("kept");
  for (const version of VERSIONS)
    for (const how of ["New", "Reused"])
      expect(await askResumed(site.door.port, kept, version)).toEqual([how, true]);
  const isRefused = async () =>
    /^(closed|error)/.test((await askPing(site.door.port, { tls: readPair(kept) })).text);
  expect(await waitFor(isRefused, { timeoutMs: 30_000, everyMs: 200 })).toBe(true);
  for (const version of VERSIONS)
    expect(await askResumed(site.door.port, kept, version)).toEqual(["Reused", false]);
  await clients.list();
  await site.close();
}, 60_000);

const VERSIONS = ["tls1_2", "tls1_3"];

/** By openssl, which goes on with the TLS session that it kept of the same version, where the server lets it; whether it was answered. */
async function askResumed(port: number, pair: string, version: string): Promise<[string, boolean]> {
  const kept = `${pair}-${version}`;
  const asked = await run(
    [
      ...["openssl", "s_client", "-connect", `127.0.0.1:${port}`, `-${version}`, "-ign_eof"],
      ...["-cert", `${pair}.crt`, "-key", `${pair}.key`, "-sess_out", kept],
      ...(existsSync(kept) ? ["-sess_in", kept] : []),
    ],
    // What follows the ping ends the connection, and so openssl.
    { stdin: "GET /qvd/ping HTTP/1.1\r\n\r\nbye\r\n", timeoutMs: 15_000 },
  );
  const how = /^(New|Reused), /m.exec(asked.stdout)?.[1] ?? "";
  return [how, asked.stdout.includes(ALIVE)];
}

describe("a new certificate", () => {
  test("is shown to whoever comes next, and sessions go on under the old one", async () => {
    const site = await openSite();
    const { door } = site;
    const desktop = openEchoDesktop();
    door.store.addDesktop(1, 1);
    door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
    const client = await door.open();
    client.send(connectRequest(1));
    await client.expect(SWITCHED);
    expect((await askPing(door.port)).subject).toBe("first");
    site.use("second");
    const isShown = async () => (await askPing(door.port)).subject === "second";
    expect(await waitFor(isShown, { timeoutMs: 15_000 })).toBe(true);
    client.send("on and on");
    await client.expect(/^on and on$/);
    expect(site.states.at(-1)?.tlsFault).toBeNull();
    desktop.stop();
    await site.close();
  });

  test("that is no good is refused by file and cause, and the old one stays", async () => {
    const site = await openSite();
    const faults: readonly (readonly [string, () => void])[] = [
      ["it isn't of the key", () => copyFileSync(`${servers.folder}/second.crt`, `${site.folder}/tls.crt`)],
      ["no certificate in PEM", () => writeFileSync(`${site.folder}/tls.crt`, "nothing")],
      ["it can't be read", () => rmSync(`${site.folder}/tls.crt`)],
    ];
    for (const [cause, spoil] of faults) {
      spoil();
      const isTold = () => site.states.at(-1)?.tlsFault?.includes(cause);
      expect(await waitFor(isTold, { timeoutMs: 15_000 })).toBe(true);
      expect(site.states.at(-1)?.tlsFault).toContain(`${site.folder}/tls.crt (QVD_BROKER_CERTIFICATE)`);
      expect(await askPing(site.door.port)).toMatchObject({ subject: "first" });
    }
    site.use("second");
    expect(await waitFor(() => site.states.at(-1)?.tlsFault === null, { timeoutMs: 15_000 })).toBe(true);
    expect((await askPing(site.door.port)).subject).toBe("second");
    await site.close();
  });
});

describe("reading its files", () => {
  test("names setting, file and cause of each fault", async () => {
    const { files, folder, use, close } = await openSite(true);
    const spoiled: readonly (readonly [string, string, string])[] = [
      ["tls.key", "nonsense", "QVD_BROKER_KEY): it holds no private key"],
      ["ca.crt", "nonsense", "QVD_BROKER_CLIENT_CA): it holds no certificate"],
      ["crl.pem", "nonsense", "QVD_BROKER_CLIENT_CRL): it holds no revocation list"],
    ];
    for (const [name, text, fault] of spoiled) {
      writeFileSync(`${folder}/${name}`, text);
      await expect(readTls(files, Date.now())).rejects.toThrow(fault);
      await readTls(files, Date.now()).catch(() => {
        // Told above.
      });
      use("first");
      copyFileSync(clients.certificate, `${folder}/ca.crt`);
      copyFileSync(clients.revoked, `${folder}/crl.pem`);
    }
    await close();
  });

  test("refuses a list of another authority, and tells what has lapsed", async () => {
    const { files, folder, close } = await openSite(true);
    const day = 86_400_000;
    expect((await readTls(files, Date.now())).lapsed).toBeUndefined();
    expect((await readTls(files, Date.now() + 3 * day)).lapsed).toContain("crl.pem");
    expect((await readTls(files, Date.now() + 40 * day)).lapsed).toContain("tls.crt");
    expect((await readTls(files, Date.now() - 10 * day)).lapsed).toContain("isn't valid before");
    await servers.list();
    copyFileSync(servers.revoked, `${folder}/crl.pem`);
    await expect(readTls(files, Date.now())).rejects.toThrow("not signed by an authority");
    await close();
  });
});
