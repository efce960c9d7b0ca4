/** Directories that are away, slow, misconfigured or not what they say, against real sockets and a real OpenLDAP server. */

import { describe, expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { DIRECTORY_PASSWORD, freePort, seedDirectory, startDirectory } from "../support/directory-server.ts";
import {
  askDirectoryOf,
  createTestAuthenticator,
  patternSettings,
  searchSettings,
  type Values,
} from "../support/ldap-asker.ts";
import { listenPlain, portOf } from "../support/listen-plain.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import { useDirectory } from "../support/use-directory.ts";

const directory = useDirectory();

const PROVED = { outcome: "proved", name: { login: "ann", tenant: "default" } };
const unavailable = (text: string) => ({ outcome: "unavailable", text: expect.stringContaining(text) });

describe("a directory that can't answer is unavailable, and the text says why", () => {
  const faults: [name: string, change: () => Values | Promise<Values>, text: string][] = [
    [
      "another authority",
      async () => ({ "auth.ldap.ca": (await createTlsPair()).tlsCertificate }),
      "certificate",
    ],
    ["no authority", () => ({ "auth.ldap.ca": "" }), "certificate"],
    [
      "nobody listens",
      async () => ({ "auth.ldap.host": [`ldaps://localhost:${await freePort()}`] }),
      "ECONNREFUSED",
    ],
    ["no such name", () => ({ "auth.ldap.host": ["ldaps://no-such-host.invalid"] }), "no-such-host.invalid"],
    [
      "plain where TLS is",
      () => ({ "auth.ldap.host": [`localhost:${directory().tlsPort}`] }),
      "closed the connection",
    ],
    ["a wrong password of who searches", () => ({ bindpass: "wrong" }), "auth.ldap.binddn"],
    ["no such base", () => ({ "auth.ldap.base": "dc=elsewhere" }), "localhost"],
    ["no filter", () => ({ "auth.ldap.filter": "(uid=%u" }), "localhost"],
  ];
  for (const [name, change, text] of faults)
    test(name, async () => {
      const values: Values = { ...searchSettings(directory()), ...(await change()) };
      expect(await askDirectoryOf(values)).toEqual(unavailable(text) as never);
    });

  test("a certificate of the right authority for another name", async () => {
    const elsewhere = await createTlsPair();
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      tls: { key: elsewhere.tlsKey, cert: elsewhere.tlsCertificate },
      socket: { data: () => {} },
    });
    // It names localhost and 127.0.0.1; this is the same machine by a name that it lacks.
    const host = `ldaps://127.0.0.2:${server.port}`;
    const other = Bun.listen({
      hostname: "127.0.0.2",
      port: server.port,
      tls: { key: elsewhere.tlsKey, cert: elsewhere.tlsCertificate },
      socket: { data: () => {} },
    });
    const values = { ...searchSettings(directory()), "auth.ldap.ca": elsewhere.tlsCertificate };
    expect(await askDirectoryOf({ ...values, "auth.ldap.host": [host] })).toEqual(
      unavailable("127.0.0.2") as never,
    );
    for (const one of [server, other]) one.stop(true);
  });
});

describe("several servers", () => {
  test("are asked in order, and one that is away is passed over and left alone for a while", async () => {
    const away = `ldaps://localhost:${await freePort()}`;
    const host = [away, `ldaps://localhost:${directory().tlsPort}`];
    const authenticator = createTestAuthenticator();
    const values = { ...searchSettings(directory()), "auth.ldap.host": host };
    for (let n = 0; n < 3; n++)
      expect(await askDirectoryOf(values, "ann", DIRECTORY_PASSWORD, authenticator)).toMatchObject(PROVED);
    const both = { ...values, "auth.ldap.host": [away] };
    expect(await askDirectoryOf(both, "ann", DIRECTORY_PASSWORD, authenticator)).toEqual(
      unavailable("left alone for a while") as never,
    );
  });

  test("one that accepts and says nothing costs its patience once, then the next is asked", async () => {
    let asked = 0;
    const silent = await listenPlain((socket) => {
      asked++;
      socket.on("error", () => {});
    });
    const host = [`ldap://127.0.0.1:${portOf(silent)}`, `ldaps://localhost:${directory().tlsPort}`];
    const values = { ...searchSettings(directory()), "auth.ldap.host": host, "auth.ldap.timeout": 3 };
    const authenticator = createTestAuthenticator();
    expect(await askDirectoryOf(values, "ann", DIRECTORY_PASSWORD, authenticator)).toMatchObject(PROVED);
    const before = asked;
    expect(before).toBeGreaterThan(0);
    expect(await askDirectoryOf(values, "ann", DIRECTORY_PASSWORD, authenticator)).toMatchObject(PROVED);
    expect(asked).toBe(before);
    silent.close();
  });

  test("are left alone for those alone whose settings are at fault", async () => {
    const authenticator = createTestAuthenticator();
    const good = searchSettings(directory());
    const ask = (values: typeof good) => askDirectoryOf(values, "ann", DIRECTORY_PASSWORD, authenticator);
    for (const wrong of [
      { bindpass: "another" },
      { "auth.ldap.base": "dc=nowhere" },
      { "auth.ldap.ca": "" },
    ]) {
      expect((await ask({ ...good, ...wrong })).outcome).toBe("unavailable");
      expect(await ask(good)).toMatchObject(PROVED);
    }
  });

  test("a wrong password is not put to the next", async () => {
    const second = await startDirectory(seedDirectory());
    try {
      const host = [directory(), second].map(({ tlsPort }) => `ldaps://localhost:${tlsPort}`);
      const values = {
        ...searchSettings(directory()),
        "auth.ldap.host": host,
        "auth.ldap.ca": directory().ca + second.ca,
      };
      expect(await askDirectoryOf(values, "ann", "wrong again")).toEqual({ outcome: "denied" });
      await second.stop();
      const isRead = () => second.log().includes("slapd stopped");
      expect(await waitFor(isRead, { timeoutMs: 15_000, everyMs: 10 })).toBe(true);
      expect(second.count(/ SRCH |uid=ann/)).toBe(0);
    } finally {
      await second.destroy();
    }
  }, 60_000);

  test("one that hangs in the middle is away", async () => {
    directory().freeze(true);
    try {
      const values = { ...searchSettings(directory()), "auth.ldap.timeout": 1 };
      expect(await askDirectoryOf(values)).toEqual(unavailable("too long") as never);
    } finally {
      directory().freeze(false);
    }
    expect(await askDirectoryOf(searchSettings(directory()))).toMatchObject(PROVED);
  });
});

describe("somebody in between", () => {
  const SUCCESS = Buffer.from("300c02010178070a010004000400", "hex");
  test("can't answer for the directory before the handshake of StartTLS", async () => {
    // A bind's success, put behind the answer to StartTLS for the time after the handshake.
    const bindDone = Buffer.from("300c02010161070a010004000400", "hex");
    const liar = await listenPlain((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => socket.write(Buffer.concat([SUCCESS, bindDone])));
    });
    const values = {
      ...patternSettings(directory()),
      "auth.ldap.host": [`ldap://127.0.0.1:${portOf(liar)}`],
    };
    expect(await askDirectoryOf(values)).toEqual(unavailable("somebody is in between") as never);
    liar.close();
  });

  test("sees no password when StartTLS is refused, cut off, or answered by nonsense", async () => {
    for (const answer of ["300c02010178070a013504000400", "300c02010161070a010004000400", "00", ""]) {
      const heard: Buffer[] = [];
      const liar = await listenPlain((socket) => {
        socket.on("error", () => {});
        socket.on("data", (chunk) => {
          heard.push(Buffer.from(chunk));
          if (answer === "") socket.destroy();
          else socket.write(Buffer.from(answer, "hex"));
        });
      });
      const host = [`ldap://127.0.0.1:${portOf(liar)}`];
      const values = { ...patternSettings(directory()), "auth.ldap.host": host, "auth.ldap.timeout": 4 };
      expect((await askDirectoryOf(values)).outcome).toBe("unavailable");
      expect(Buffer.concat(heard).includes(DIRECTORY_PASSWORD)).toBe(false);
      expect(heard.length).toBe(1);
      liar.close();
    }
  });
});
