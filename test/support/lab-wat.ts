/** The WAT of a lab of several nodes: API and pages over its database, with one administrator. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type RunAdminDeps, runAdmin } from "../../src/admin/run-admin.ts";
import { openDatabase } from "../../src/db/client.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createAdministrator } from "../../src/service/administrator/create.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { makeCertificate } from "../system/wat-support.ts";
import type { ManyNodes } from "./many-nodes.ts";
import { playAdministration } from "./play-administration.ts";
import { PASSWORD } from "./wat-site.ts";

export type LabWat = {
  readonly url: string;
  readonly caFile: string;
  /** What a browser that is signed in sees of a page. */
  readPage(path: string): Promise<string>;
  stop(): Promise<void>;
};

/** Its commands take `admin` with PASSWORD. Wakes go to the lab's first node. */
export async function startLabWat(lab: ManyNodes): Promise<LabWat> {
  const folder = await mkdtemp(`${tmpdir()}/qvd-lab-wat-`);
  const context = { db: lab.database.orm, actor: { kind: "system", what: "lab" } } as const;
  const hashPassword = async () => "not a hash";
  const admin = { login: "admin", password: PASSWORD };
  const { administratorId } = await createAdministrator(context, { hashPassword }, admin);
  const { token } = await beginSignIn(
    context,
    { randomToken: () => `lab-${crypto.randomUUID()}` },
    { administratorId },
  );
  const tls = await makeCertificate(folder);
  const auth: RunAdminDeps["auth"] = {
    ask: playAdministration(),
    close: () => {},
    verify: async ({ login, proof }) =>
      login === "admin" && proof.kind === "password" && proof.password === PASSWORD
        ? { id: 1, outcome: "accepted", administratorId, login, tenantId: 0, tenantName: "*", by: "local" }
        : { id: 1, outcome: "denied" },
  };
  const ended = new AbortController();
  const ready = Promise.withResolvers<number>();
  const running = runAdmin({
    database: openDatabase(lab.server.addressOf("qvd_admin"), { max: 4, applicationName: "lab admin" }),
    ...{ auth, ...tls, address: "127.0.0.1", port: 0, hashPassword },
    wakeSocket: lab.nodes[0]?.layout.wakeSocket ?? "",
    caCertificate: tls.tlsCertificate,
    incomingFolder: `${folder}/incoming`,
    networkRange: "10.79.0.0/16",
    sealSecret: async () => ({ sealed: "sealed" }),
    clock: systemClock,
    log: silentLog(),
    signal: ended.signal,
    onReady: ready.resolve,
  });
  const port = await Promise.race([ready.promise, running.then(() => Promise.reject(new Error("it ended")))]);
  const url = `https://127.0.0.1:${port}`;
  return {
    url,
    caFile: tls.tlsCertificate,
    async readPage(path) {
      const headers = { Accept: "text/html", Cookie: `__Host-qvd-session=${token}` };
      const answer = await fetch(url + path, { headers, tls: { rejectUnauthorized: false } });
      return await answer.text();
    },
    async stop() {
      ended.abort();
      await running;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
