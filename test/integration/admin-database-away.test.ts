/** The WAT on a PostgreSQL that stops and starts: it stays up, says so, and recovers by itself. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { openDatabase } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import type { DatabaseRole } from "../../src/db/url.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  type AdminApp,
  askApi,
  createAdminApp,
  getPage,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";

let server: Server;
let admin: AdminApp;
let me: SignedInAs;

beforeAll(async () => {
  server = serverAt(await mkdtemp(`${tmpdir()}/qvd-test-admin-`));
  await startServer(server);
  const address = (role: DatabaseRole) => ({
    kind: "socket" as const,
    folder: server.socketFolder,
    role,
    database: "postgres",
  });
  await migrate(address("qvd_owner"));
  const opened: ReturnType<typeof openDatabase>[] = [];
  admin = await createAdminApp({
    database: {
      name: "postgres",
      server,
      address,
      open(role, options) {
        const database = openDatabase(address(role), options);
        opened.push(database);
        return database;
      },
      drop: async () => {
        await Promise.all(opened.map((database) => database.close()));
      },
    },
  });
  me = await admin.signIn("admin");
}, 120_000);

afterAll(async () => {
  await admin.stop();
  await stopServer(server, "immediate");
  await rm(server.folder, { recursive: true, force: true });
}, 60_000);

describe("while the database is away", () => {
  test("pages and API say so with 503, nothing is done by halves, and all works again when it is back", async () => {
    expect((await getPage(admin, "/desktops", me)).status).toBe(200);
    await stopServer(server, "fast");
    for (const path of ["/", "/desktops", "/desktops/1", "/users/new", "/nodes"]) {
      const response = await getPage(admin, path, me);
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.text()).toContain("database can&#39;t be reached");
    }
    const api = await askApi(admin, { method: "POST", path: "/vms/1/start" }, me);
    expect(api.status).toBe(503);
    expect(await api.json()).toMatchObject({ error: { code: "database-away" } });
    expect((await postForm(admin, "/desktops/1/start", me)).status).toBe(503);
    expect((await getPage(admin, "/sign-in")).status).toBe(200);

    await startServer(server);
    const isBack = await waitFor(async () => (await getPage(admin, "/desktops", me)).status === 200, {
      timeoutMs: 10_000,
      everyMs: 100,
    });
    expect(isBack).toBe(true);
    expect(await (await askApi(admin, { method: "GET", path: "/vms/1" }, me)).json()).toMatchObject({
      wish: "stopped",
    });
  }, 60_000);
});

test("a sign-in outlives the process that began it", async () => {
  const { createApp } = await import("../../src/admin/app.ts");
  const { systemClock } = await import("../../src/lib/clock.ts");
  const { silentLog } = await import("../../src/lib/log.ts");
  const next = createApp({
    db: admin.database.open("qvd_admin").orm,
    auth: {
      verify: async () => ({ id: 1, outcome: "denied" }),
      ask: async () => ({ id: 1, outcome: "denied" }),
    },
    wake: () => {},
    live: admin.live,
    sealSecret: async () => ({ sealed: "sealed" }),
    hashPassword: async () => "",
    randomToken: () => "",
    incomingFolder: admin.incomingFolder,
    leastFreeBytes: 0,
    networkRange: "10.91.0.0/16",
    clock: systemClock,
    log: silentLog(),
  });
  expect((await getPage({ app: next }, "/", me)).status).toBe(200);
});
