/** TLS of the QVD port: versions, clients' certificates and what was revoked, all of it replaced while it runs. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { type ReadTls, readTls, type TlsFiles } from "../../src/broker/tls/read-tls.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { askPing } from "../support/ask-ping.ts";
import {
  type BrokerDoor,
  connectRequest,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
} from "../support/broker-door.ts";
import { type ClientAuthority, createClientAuthority, readPair } from "../support/client-authority.ts";

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

/** A port whose TLS comes from files of its own folder. */
async function openSite(isRequired?: boolean): Promise<Site> {
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
    listen: { ...first.tls, address: "127.0.0.1", port: 0 },
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

describe("TLS", () => {
  test("is 1.2 or 1.3, and nothing older", async () => {
    const { door, close } = await openSite();
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const { text, protocol } = await askPing(door.port, {
        tls: { minVersion: version, maxVersion: version },
      });
      expect([text.includes(ALIVE), protocol]).toEqual([true, version]);
    }
    const old = await askPing(door.port, { tls: { minVersion: "TLSv1", maxVersion: "TLSv1.1" } });
    expect(old.text).toMatch(/^(closed|error)/);
    await close();
  });
});

describe("clients' certificates", () => {
  const visit = (site: Site, path?: string, version?: "TLSv1.2") =>
    askPing(site.door.port, {
      tls: { ...(path && readPair(path)), ...(version && { maxVersion: version }) },
    });

  test("are asked of nobody unless the site says so", async () => {
    const site = await openSite();
    expect((await visit(site)).text).toContain(ALIVE);
    expect((await visit(site, bad)).text).toContain(ALIVE);
    await site.close();
  });

  test("where required, let in who has a good one and nobody else", async () => {
    const site = await openSite(true);
    const stranger = await (await createClientAuthority("Another")).issue("stranger");
    for (const version of [undefined, "TLSv1.2"] as const) {
      expect((await visit(site, good, version)).text).toContain(ALIVE);
      for (const path of [undefined, bad, stranger])
        expect((await visit(site, path, version)).text).toMatch(/^(closed|error)/);
    }
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

  test("revoked while the broker runs, are refused from then on", async () => {
    const site = await openSite(true);
    const late = await clients.issue("late");
    expect((await visit(site, late)).text).toContain(ALIVE);
    await clients.revoke("late");
    await clients.list();
    copyFileSync(clients.revoked, `${site.folder}/crl.pem`);
    const isRefused = async () => /^(closed|error)/.test((await visit(site, late)).text);
    expect(await waitFor(isRefused, { timeoutMs: 15_000 })).toBe(true);
    expect((await visit(site, good)).text).toContain(ALIVE);
    await site.close();
  });
});

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
