/**
 * One more box joins a site, from the invitation on the first to its registration: a PostgreSQL over TCP, the first
 * box's admin process with its own authority, and both commands as root types them.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { runAdmin } from "../../src/admin/run-admin.ts";
import { prepareBox } from "../../src/cli/box/prepare.ts";
import type { Command, CommandIo } from "../../src/cli/command.ts";
import { fetchBundle } from "../../src/cli/node/fetch-bundle.ts";
import { nodeInvite } from "../../src/cli/node/invite.ts";
import { nodeJoin } from "../../src/cli/node/join.ts";
import { parseCommandArgs } from "../../src/cli/parse-args.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type Database, openDatabase } from "../../src/db/client.ts";
import { migrate } from "../../src/db/migrate.ts";
import { ensureRolePasswords } from "../../src/db/role-passwords.ts";
import { roleDatabase } from "../../src/db/url.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { describeError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { registerNode } from "../../src/service/node/register.ts";
import { formatJoinCode, parseJoinCode } from "../../src/wire/join/join-code.ts";
import { asOwner } from "../support/cluster.ts";
import { type Server, serverAt, startServer, stopServer } from "../support/db-server.ts";

const bytes = crypto.getRandomValues(new Uint8Array(2));
const HOST = `127.78.${bytes[0]}.${Math.max(1, Math.min(254, bytes[1] ?? 1))}`;

let server: Server;
let folder: string;
let admin: Database;
let owner: Database;
let env: Record<string, string>;
const ended = new AbortController();
let running: Promise<void>;

async function type(command: Command, words: readonly string[], given: Readonly<Record<string, string>>) {
  const said = { out: "", err: "" };
  const io: CommandIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    env: given,
    isTerminal: false,
    signal: new AbortController().signal,
  };
  try {
    await command.run(io, parseCommandArgs(command, words));
  } catch (error) {
    said.err += describeError(error);
  }
  return said;
}

const invite = async (...words: readonly string[]) =>
  (await type(nodeInvite, ["box2", "--database-host", HOST, ...words], env)).out.trim();
const secondBox = (name: string) => ({
  QVD_STATE: `${folder}/${name}`,
  QVD_RUN: `${folder}/${name}-run`,
  QVD_CONFIG: `${folder}/${name}.conf`,
});

beforeAll(async () => {
  server = serverAt(await mkdtemp(`${tmpdir()}/qvd-join-db-`));
  folder = await mkdtemp(`${tmpdir()}/qvd-join-`);
  await startServer(server);
  await stopServer(server);
  await appendFile(`${server.folder}/data/postgresql.conf`, `\nlisten_addresses = '${HOST}'\n`);
  await writeFile(
    `${server.folder}/data/pg_hba.conf`,
    "local all all trust\nhost all all all scram-sha-256\n",
  );
  await startServer(server);
  await asOwner(server, async (sql) => {
    await sql`create role site login createrole password 'site-password'`;
    await sql`create database ours owner site`;
  });
  const databaseUrl = `postgres://site:site-password@${HOST}:5432/ours`;
  const layout = layoutOf(`${folder}/one`, `${folder}/one-run`);
  await prepareBox(layout);
  const place = { databaseUrl, socketFolder: "", secretsFolder: layout.secretsFolder };
  await migrate(await roleDatabase(place, "qvd_owner"), {
    passwords: await ensureRolePasswords(layout.secretsFolder, {}),
  });
  admin = openDatabase(await roleDatabase(place, "qvd_admin"));
  owner = openDatabase(await roleDatabase(place, "qvd_owner"));
  const ready = Promise.withResolvers<number>();
  running = runAdmin({
    database: admin,
    auth: {
      close: () => {},
      ask: async () => ({ id: 1, outcome: "denied" }),
      verify: async () => ({ id: 1, outcome: "denied" }),
    },
    address: "127.0.0.1",
    port: 0,
    tlsKey: layout.tlsKey,
    tlsCertificate: layout.tlsCertificate,
    caCertificate: layout.caCertificate,
    wakeSocket: `${folder}/no-node`,
    incomingFolder: folder,
    networkRange: "10.91.0.0/16",
    sealSecret: async () => ({ sealed: "sealed" }),
    hashPassword: async () => "",
    clock: systemClock,
    log: silentLog(),
    signal: ended.signal,
    onReady: ready.resolve,
  });
  env = {
    QVD_STATE: `${folder}/one`,
    QVD_RUN: `${folder}/one-run`,
    QVD_DATABASE_URL: databaseUrl,
    QVD_NODE_ADDRESS: "127.0.0.1",
    QVD_ADMIN_PORT: String(await ready.promise),
    QVD_NETWORK_RANGE: "10.66.0.0/16",
  };
}, 60_000);
afterAll(async () => {
  ended.abort();
  await running;
  await admin.close();
  await owner.close();
  await stopServer(server, "immediate");
  await rm(server.folder, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}, 30_000);

describe("a second box", () => {
  test("joins by a code, gets what it needs, and registers", async () => {
    const box = secondBox("two");
    const code = await invite("--address", "box2.example");
    expect((await type(nodeJoin, [code, "--dry-run"], box)).err).toContain("would ask 127.0.0.1:");
    const joined = await type(nodeJoin, [code], box);
    expect(joined.err).toContain("this box is box2 of the site now");
    const { config } = loadConfig({ env: box });
    expect(config).toMatchObject({
      nodeName: "box2",
      networkRange: "10.66.0.0/16",
      nodeAddress: "box2.example",
    });
    const layout = layoutOf(config.stateFolder, config.runFolder);
    const certificate = new X509Certificate(await readFile(layout.tlsCertificate));
    const authority = await readFile(layout.caCertificate);
    expect(authority.equals(await readFile(`${folder}/one/ca.crt`))).toBe(true);
    expect(certificate.verify(new X509Certificate(authority).publicKey)).toBe(true);
    expect(certificate.subjectAltName).toContain("DNS:box2.example");
    expect((await stat(box.QVD_CONFIG)).mode & 0o777).toBe(0o600);
    expect((await stat(`${layout.secretsFolder}/database-qvd_node`)).mode & 0o777).toBe(0o400);
    expect(existsSync(`${layout.secretsFolder}/ca.key`)).toBe(false);
    const place = { databaseUrl: config.databaseUrl, socketFolder: "", secretsFolder: layout.secretsFolder };
    const node = openDatabase(await roleDatabase(place, "qvd_node"));
    const actor = { kind: "node", name: "box2" } as const;
    const registered = await registerNode(
      { db: node.orm, actor },
      { name: "box2", boxId: "0123456789abcdef", address: "box2.example:8443" },
    );
    expect(registered.isNew).toBe(true);
    await node.close();
    const audit =
      await owner.sql`select action, subject_name, origin from audit_log where action like 'node.%' order by id`;
    expect([...audit]).toEqual([
      { action: "node.invite", subject_name: "box2", origin: null },
      { action: "node.hand-out-bundle", subject_name: null, origin: "127.0.0.1" },
      { action: "node.register", subject_name: "box2", origin: null },
    ]);
  }, 30_000);

  test("under the name of another box is refused", async () => {
    const actor = { kind: "system", what: "test" } as const;
    const attempt = registerNode({ db: owner.orm, actor }, { name: "box2", boxId: "fedcba9876543210" });
    expect(await attempt.catch((error) => error.message)).toContain(
      "another box is registered under this name",
    );
  });

  test("isn't joined over a site that it has, unless that is said", async () => {
    const code = await invite();
    expect((await type(nodeJoin, [code], secondBox("two"))).err).toContain("this box is of a site already");
    const before = await readFile(`${folder}/two/secrets/tls.crt`, "utf8");
    expect((await type(nodeJoin, [code, "--again"], secondBox("two"))).err).toContain(
      "is box2 of the site now",
    );
    expect(await readFile(`${folder}/two/secrets/tls.crt`, "utf8")).not.toBe(before);
  }, 30_000);
});

test("a code needs not stand on the command line, where every account could read and use it", async () => {
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const code = await invite();
  const child = Bun.spawn([process.execPath, main, "node", "join", "--dry-run"], {
    env: { ...process.env, ...secondBox("three") },
    stdin: new TextEncoder().encode(`${code}\n`),
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("would ask 127.0.0.1:");
  expect(await child.exited).toBe(0);
}, 20_000);

describe("a join code", () => {
  const failure = (code: string) =>
    fetchBundle(parseJoinCode(code)).then(
      () => "opened",
      (error) => describeError(error),
    );

  test("is good once", async () => {
    const code = await invite();
    expect(await failure(code)).toBe("opened");
    expect(await failure(code)).toContain("was used, has expired, or never was");
    const [row] = await owner.sql`select sealed from join_codes where id = ${parseJoinCode(code).id}`;
    expect(Buffer.from(row?.sealed)).toHaveLength(0);
  });

  test("is good once for two who ask at the same time", async () => {
    const code = await invite();
    const both = await Promise.all([failure(code), failure(code)]);
    expect(both.filter((outcome) => outcome === "opened")).toHaveLength(1);
  });

  test("isn't asked of somebody in between, who adds an authority of his own to the site's", async () => {
    const code = parseJoinCode(await invite());
    const own = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=between", "-days", "1"];
    const files = ["-keyout", `${folder}/between.key`, "-out", `${folder}/between.crt`];
    await runOk("making a certificate", ["/usr/bin/openssl", "req", "-x509", ...own, ...files]);
    const [key, cert] = [Bun.file(`${folder}/between.key`), Bun.file(`${folder}/between.crt`)];
    const both = `${await Bun.file(`${folder}/one/ca.crt`).text()}${await cert.text()}`;
    const asked: string[] = [];
    const between = Bun.serve({
      port: 0,
      tls: { key, cert },
      fetch: ({ method }) => {
        asked.push(method);
        return new Response(both);
      },
    });
    const outcome = await failure(formatJoinCode({ ...code, address: `127.0.0.1:${between.port}` }));
    await between.stop(true);
    expect(outcome).toContain("does not answer");
    expect(asked).toEqual(["GET"]);
  });

  test("is good for its time, and gone with the next invitation after it", async () => {
    const code = await invite("--hours", "0.02");
    await owner.sql`update join_codes set expires_at = now() where id = ${parseJoinCode(code).id}`;
    expect(await failure(code)).toContain("has expired");
    await invite();
    expect(await owner.sql`select 1 from join_codes where id = ${parseJoinCode(code).id}`).toHaveLength(0);
  });

  test("isn't used up by whoever believes another authority, and opens nothing without its key", async () => {
    const code = parseJoinCode(await invite());
    expect(await failure(formatJoinCode({ ...code, fingerprint: "00".repeat(32) }))).toContain(
      "is not the site",
    );
    expect(await failure(formatJoinCode({ ...code, key: new Uint8Array(32) }))).toContain("can't be opened");
    expect(await failure(formatJoinCode({ ...code, address: "127.0.0.1:1" }))).toContain("does not answer");
  });

  test("keeps what it stands for from the database and the admin process", async () => {
    await invite();
    const [row] = await owner.sql`select sealed from join_codes order by created_at desc limit 1`;
    expect(Buffer.from(row?.sealed).toString("latin1")).not.toContain("site-password");
    expect(await admin.sql`insert into join_codes (id) values ('x')`.catch((error) => error.code)).toBe(
      "42501",
    );
  });

  test("isn't made for a site whose database nobody else can reach", async () => {
    const { QVD_DATABASE_URL: _, ...embedded } = env;
    expect((await type(nodeInvite, ["box2"], embedded)).err).toContain("its database is the embedded one");
    expect((await type(nodeInvite, ["box2", "--hours", "900"], env)).err).toContain(
      "--hours must be from 1 to 168",
    );
  });
});
