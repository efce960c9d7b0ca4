/** The WAT for browser tests: the real app over TLS on a free port, a database of its own, and a site to look at. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type RunAdminDeps, runAdmin } from "../../src/admin/run-admin.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { playAdministration } from "../support/play-administration.ts";
import { PASSWORD, seedSite } from "../support/wat-site.ts";

export type Wat = {
  readonly url: string;
  readonly database: TestDatabase;
  readonly incomingFolder: string;
  /** What clients have to trust. */
  readonly caFile: string;
  stop(): Promise<void>;
};

export type WatOptions = {
  readonly isEmpty?: boolean;
  /** Where the QVD port is; may be filled in later. */
  readonly portal?: RunAdminDeps["portal"];
};

/** Sign-in takes `admin` or `acme-admin` with PASSWORD. */
export async function startWat(options: WatOptions = {}): Promise<Wat> {
  const folder = await mkdtemp(`${tmpdir()}/qvd-wat-`);
  const database = await createTestDatabase();
  const administratorIds = await seedSite(database, options);
  const tls = await makeCertificate(folder);
  const ended = new AbortController();
  const ready = Promise.withResolvers<number>();
  const incomingFolder = `${folder}/incoming`;
  const auth: RunAdminDeps["auth"] = {
    ask: playAdministration(),
    close: () => {},
    verify: async ({ login, proof }) => {
      const password = proof.kind === "password" ? proof.password : "";
      const administratorId = administratorIds.get(login);
      if (administratorId === undefined || password !== PASSWORD) return { id: 1, outcome: "denied" };
      return {
        id: 1,
        outcome: "accepted",
        administratorId,
        login,
        tenantId: 0,
        tenantName: "*",
        by: "local",
      };
    },
  };
  const running = runAdmin({
    database: database.open("qvd_admin"),
    auth,
    ...tls,
    address: "127.0.0.1",
    port: 0,
    wakeSocket: `${folder}/no-node`,
    caCertificate: tls.tlsCertificate,
    incomingFolder,
    networkRange: "10.91.0.0/16",
    ...(options.portal === undefined ? {} : { portal: options.portal }),
    sealSecret: async () => ({ sealed: "sealed" }),
    hashPassword: async () => "not a hash",
    clock: systemClock,
    log: silentLog(),
    signal: ended.signal,
    onReady: ready.resolve,
  });
  const port = await Promise.race([ready.promise, running.then(() => Promise.reject(new Error("it ended")))]);
  return {
    url: `https://127.0.0.1:${port}`,
    database,
    incomingFolder,
    caFile: tls.tlsCertificate,
    async stop() {
      ended.abort();
      await running;
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function makeCertificate(folder: string): Promise<{ tlsKey: string; tlsCertificate: string }> {
  const [tlsKey, tlsCertificate] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  await runOk("make a certificate", [
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...[
      "-subj",
      "/CN=127.0.0.1",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
      "-days",
      "2",
      "-keyout",
      tlsKey,
      "-out",
      tlsCertificate,
    ],
  ]);
  return { tlsKey, tlsCertificate };
}
