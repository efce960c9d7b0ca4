/**
 * A real OpenLDAP server with a folder and ports of its own, on loopback; the system's service is neither needed nor
 * touched. The program is copied, since AppArmor lets the installed one read the system's folders only.
 */

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

export const DIRECTORY_BASE = "dc=example,dc=org";
export const SEARCHER = { dn: `cn=searcher,${DIRECTORY_BASE}`, password: "search-s3cret" } as const;
/** Of everybody in it whose entry doesn't say otherwise. */
export const DIRECTORY_PASSWORD = "directory horse battery";

export type DirectoryServerLab = {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the authority that signed its certificate, which names localhost and 127.0.0.1. */
  readonly ca: string;
  /** What the server said of each operation so far. */
  readonly log: () => string;
  /** Number of the log's lines that match. */
  readonly count: (pattern: RegExp) => number;
  readonly stop: () => Promise<void>;
  /** On the same ports, with the same entries. */
  readonly start: () => Promise<void>;
  /** Hangs, without a word, until it is continued. */
  readonly freeze: (isFrozen: boolean) => void;
  readonly destroy: () => Promise<void>;
};

export async function startDirectory(ldif: string): Promise<DirectoryServerLab> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-slapd-`);
  mkdirSync(`${folder}/data`);
  const program = `${folder}/slapd-of-test`;
  copyFileSync("/usr/sbin/slapd", program);
  const ca = await makeCertificates(folder);
  const [port, tlsPort] = [await freePort(), await freePort()];
  writeFileSync(`${folder}/conf`, configuration(folder));
  writeFileSync(`${folder}/ldif`, ldif);
  await runOk("fill the directory", [program, "-T", "add", "-f", `${folder}/conf`, "-l", `${folder}/ldif`]);
  const lab = { text: "", process: undefined as Bun.Subprocess<"ignore", "ignore", "pipe"> | undefined };
  const listen = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
  const start = async () => {
    const running = Bun.spawn([program, "-h", listen, "-f", `${folder}/conf`, "-d", "stats"], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    lab.process = running;
    const before = lab.text.length;
    void gather(running.stderr, (text) => {
      lab.text += text;
    });
    const isUp = () => lab.text.slice(before).includes("slapd starting");
    if ((await waitFor(isUp, { timeoutMs: 20_000, everyMs: 20 })) === undefined)
      throw new Error(`slapd did not start: ${lab.text.slice(before)}`);
    // It says so a moment before it answers.
    const whoAmI = ["ldapwhoami", "-x", "-H", `ldap://127.0.0.1:${port}`, "-o", "nettimeout=2"];
    const answers = async () =>
      (await run([...whoAmI, "-D", SEARCHER.dn, "-w", SEARCHER.password])).exitCode === 0;
    if ((await waitFor(answers, { timeoutMs: 20_000, everyMs: 50 })) === undefined)
      throw new Error(`slapd does not answer: ${lab.text.slice(before)}`);
  };
  const stop = async () => {
    lab.process?.kill("SIGCONT");
    lab.process?.kill("SIGTERM");
    await lab.process?.exited;
    lab.process = undefined;
  };
  await start();
  return {
    port,
    tlsPort,
    ca,
    log: () => lab.text,
    count: (pattern) => lab.text.split("\n").filter((line) => pattern.test(line)).length,
    start,
    stop,
    freeze: (isFrozen) => lab.process?.kill(isFrozen ? "SIGSTOP" : "SIGCONT"),
    destroy: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string): string {
  const schemas = ["core", "cosine", "nis", "inetorgperson"];
  return [
    ...schemas.map((name) => `include /etc/ldap/schema/${name}.schema`),
    "modulepath /usr/lib/ldap",
    "moduleload back_mdb",
    `pidfile ${folder}/pid`,
    `TLSCACertificateFile ${folder}/ca.crt`,
    `TLSCertificateFile ${folder}/tls.crt`,
    `TLSCertificateKeyFile ${folder}/tls.key`,
    // As Active Directory does: a bind with a name and no password succeeds, as nobody.
    "allow bind_anon_cred bind_anon_dn",
    "sizelimit 50",
    "database mdb",
    `suffix "${DIRECTORY_BASE}"`,
    `directory ${folder}/data`,
    "access to attrs=userPassword by anonymous auth by * none",
    `access to dn.subtree="ou=closed,${DIRECTORY_BASE}" by dn.exact="${SEARCHER.dn}" read by * none`,
    "access to * by * read",
    "",
  ].join("\n");
}

async function makeCertificates(folder: string): Promise<string> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await runOk("make an authority", [
    ...["openssl", "req", "-x509", ...key, "-days", "2", "-subj", "/CN=Directory authority"],
    ...["-keyout", `${folder}/ca.key`, "-out", `${folder}/ca.crt`],
  ]);
  await runOk("make a certificate", [
    ...["openssl", "req", "-x509", ...key, "-days", "2", "-subj", "/CN=localhost"],
    ...[
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-addext",
      "basicConstraints=critical,CA:FALSE",
    ],
    ...["-CA", `${folder}/ca.crt`, "-CAkey", `${folder}/ca.key`],
    ...["-keyout", `${folder}/tls.key`, "-out", `${folder}/tls.crt`],
  ]);
  return await Bun.file(`${folder}/ca.crt`).text();
}

async function gather(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

/**
 * Nobody listens there now. Not one that the kernel gives to connections: it would have it in the meantime, or while the
 * server is stopped. Fixed ports of other tests begin at 20,000.
 */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(10_000, 20_000);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
      server.close();
      await once(server, "close");
      return port;
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

/** A site's people: units, persons with odd names, groups, two entries of one uid, and aliases of a unit and a person. */
export function seedDirectory(): string {
  const people = `ou=people,${DIRECTORY_BASE}`;
  const groups = `ou=groups,${DIRECTORY_BASE}`;
  return [
    entry(DIRECTORY_BASE, [
      "objectClass: dcObject",
      "objectClass: organization",
      "o: Example",
      "dc: example",
    ]),
    entry(SEARCHER.dn, [
      "objectClass: organizationalRole",
      "objectClass: simpleSecurityObject",
      `userPassword: ${SEARCHER.password}`,
    ]),
    ...["people", "groups", "closed"].map((ou) =>
      entry(`ou=${ou},${DIRECTORY_BASE}`, ["objectClass: organizationalUnit"]),
    ),
    person(`uid=ann,${people}`, "ann", ["mail: ann@example.org", "displayName: Ann Ford"]),
    person(`uid=bob,${people}`, "bob", ["employeeNumber: 4711"]),
    person(`uid=josé,${people}`, "josé"),
    person(`uid=o'hara*,${people}`, "o'hara*"),
    person(`uid=a\\,b\\+c\\=d,${people}`, "a,b+c=d"),
    person(`uid=pa(ren)s,${people}`, "pa(ren)s"),
    person(`cn=twin one,${people}`, "twin"),
    person(`cn=twin two,${people}`, "twin"),
    person(`uid=hidden,ou=closed,${DIRECTORY_BASE}`, "hidden"),
    alias(`ou=everybody,${DIRECTORY_BASE}`, people),
    alias(`ou=all groups,${DIRECTORY_BASE}`, groups),
    entry(`ou=partners,${DIRECTORY_BASE}`, ["objectClass: organizationalUnit"]),
    alias(`cn=our ann,ou=partners,${DIRECTORY_BASE}`, `uid=ann,${people}`),
    entry(`cn=staff,${groups}`, ["objectClass: groupOfNames", `member: uid=ann,${people}`]),
    entry(`cn=Domain Admins,${groups}`, ["objectClass: groupOfNames", `member: uid=bob,${people}`]),
  ].join("\n");
}

function person(dn: string, uid: string, more: readonly string[] = []): string {
  return entry(dn, [
    "objectClass: inetOrgPerson",
    "objectClass: posixAccount",
    line("uid", uid),
    line("cn", uid === "twin" ? (/^cn=([^,]+)/.exec(dn)?.[1] ?? uid) : uid),
    "sn: Person",
    "uidNumber: 20001",
    "gidNumber: 20002",
    "homeDirectory: /home/somewhere",
    `userPassword: ${DIRECTORY_PASSWORD}`,
    ...more,
  ]);
}

function alias(dn: string, of: string): string {
  const [attribute = "", value = ""] = dn.slice(0, dn.indexOf(",")).split("=");
  const classes = ["objectClass: alias", "objectClass: extensibleObject"];
  return entry(dn, [...classes, line(attribute, value), line("aliasedObjectName", of)]);
}

function entry(dn: string, lines: readonly string[]): string {
  return [line("dn", dn), ...lines, ""].join("\n");
}

/** In base64, so that any character may be in it. */
function line(name: string, value: string): string {
  return `${name}:: ${Buffer.from(value).toString("base64")}`;
}
