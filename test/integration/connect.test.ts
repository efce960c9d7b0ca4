/** `qvd connect` against a real listener; what it shows is looked at in test/system/faults. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { BrokerConnection } from "../../src/client/broker-connection.ts";
import { type ConnectDeps, type ConnectOptions, runConnect } from "../../src/client/run-connect.ts";
import type { ShownCertificate } from "../../src/client/trust-broker.ts";
import {
  type BrokerDoor,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  until,
} from "../support/broker-door.ts";

const STAND_IN = fileURLToPath(new URL("../support/stand-in-nxproxy.ts", import.meta.url));

let door: BrokerDoor;
let desktop: EchoDesktop;
let folder = "";
let said: string[];
let stop: AbortController;
beforeEach(async () => {
  folder = mkdtempSync(`${tmpdir()}/qvd-connect-`);
  writeFileSync(`${folder}/nxproxy`, `#!/bin/sh\nexec '${process.execPath}' '${STAND_IN}' "$@"\n`);
  chmodSync(`${folder}/nxproxy`, 0o755);
  said = [];
  stop = new AbortController();
  desktop = openEchoDesktop();
  door = await openBrokerDoor();
  door.store.addDesktop(7, 1, { state: "running", wish: "running" });
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
});
afterEach(async () => {
  stop.abort();
  await door.close();
  desktop.stop();
  rmSync(folder, { recursive: true });
});

const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  ...{ place: { host: "127.0.0.1", port: door.port }, login: "alice", password: "secret", vm: "7" },
  ...{ geometry: "800x600", link: "lan", keyboard: "pc105/us", isFullscreen: true },
  displayEnv: { PATH: `${folder}:/usr/bin:/bin`, DISPLAY: ":0" },
  ...more,
});
const deps = (more: Partial<ConnectDeps> = {}): ConnectDeps => ({
  say: (text) => said.push(text),
  requireTrust: async () => {},
  choose: () => Promise.reject(new Error("nobody was to be asked")),
  signal: stop.signal,
  times: { firstRetryMs: 10, lookEveryMs: 50, silenceMs: 20_000 },
  ...more,
});
const isShown = () => until("the desktop hears the viewer", () => desktop.receivedBytes > 0, 20_000);

describe("a person who connects", () => {
  test("is told what happens, sees the desktop, and leaves by closing it", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    await until("it is told", () => said.at(-1) === "connected to vm7");
    desktop.connections[0]?.write("leave\n");
    expect(await running).toEqual({ kind: "closed" });
  });

  test("is told where they stand in a crowd that signs in", async () => {
    door.auth.place = { number: 12, waitMs: 4_000 };
    const running = runConnect(options(), deps());
    await isShown();
    expect(said[0]).toBe("Many people sign in: number 12 in the queue, about 4 s");
    desktop.connections[0]?.write("leave\n");
    await running;
  });

  test.each(["cut", "end"] as const)(
    "may take longer over the certificate than a broker waits for strangers (%s)",
    async (how) => {
      const line = openLine(door.port);
      let asked = 0;
      const requireTrust = async () => {
        asked++;
        if (asked > 1) return;
        line[how]();
        await Bun.sleep(500);
      };
      const place = { host: "127.0.0.1", port: line.port };
      const connection = await BrokerConnection.open({ place, requireTrust, signal: stop.signal });
      expect((await connection.ask("/qvd/ping", {})).status).toBe(200);
      expect(asked).toBe(2);
      connection.close();
      line.close();
    },
  );

  test("opens an application that is named, though it is listed apart", async () => {
    door.store.addDesktop(8, 1, { state: "running", wish: "running", isApplication: true });
    for (const vm of ["8", "vm8"]) {
      const running = runConnect(options({ vm }), deps());
      const before = desktop.connections.length;
      await until("it is shown", () => desktop.connections.length > before, 20_000);
      await until("it is told", () => said.at(-1) === "connected to vm8");
      const leaving = setInterval(() => desktop.connections.at(-1)?.write("leave\n"), 50);
      expect(await running.finally(() => clearInterval(leaving))).toEqual({ kind: "closed" });
    }
  });

  test("opens the only application of somebody who has no desktop", async () => {
    door.store.desktops.clear();
    door.store.addDesktop(8, 1, { state: "running", wish: "running", isApplication: true });
    const { vm: _, ...unsaid } = options();
    const running = runConnect(unsaid, deps());
    await isShown();
    await until("it is told", () => said.at(-1) === "connected to vm8");
    stop.abort();
    await running;
  });

  test("is not brought back who leaves while the desktop still sends", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    desktop.connections[0]?.write("vanish\n");
    const sending = setInterval(() => desktop.connections[0]?.write("more\n"), 20);
    expect(await running.finally(() => clearInterval(sending))).toEqual({ kind: "closed" });
    expect(desktop.connections.length).toBe(1);
  });

  test("is told when the session is ended from the other side, and is not sent back in", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    desktop.connections[0]?.end();
    expect(await running).toEqual({ kind: "ended", why: "the desktop closed it" });
    expect(desktop.connections.length).toBe(1);
  });

  test("leaves no token behind by which somebody could come again", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    expect(door.auth.tokens.size).toBe(1);
    desktop.connections[0]?.write("leave\n");
    await running;
    expect(door.auth.tokens.size).toBe(0);
  });

  test("leaves none when interrupted, either", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    stop.abort();
    await running;
    expect(door.auth.tokens.size).toBe(0);
  });

  test("asks for no channel but the screen", async () => {
    const running = runConnect(options(), deps());
    await isShown();
    const given = door.store.sessions[0]?.client.given ?? {};
    const channels = Object.entries(given).filter(([name]) => /enable/.test(name));
    expect(channels.length).toBeGreaterThan(2);
    expect(channels.every(([, value]) => value === "0")).toBe(true);
    stop.abort();
    await running;
  });
});

describe("a connection that breaks", () => {
  let line: Line;
  beforeEach(() => {
    line = openLine(door.port);
  });
  afterEach(() => line.close());
  const byLine = () => options({ place: { host: "127.0.0.1", port: line.port } });
  const isBack = () => until("it is there again", () => desktop.connections.length === 2, 20_000);

  test("is made again by itself", async () => {
    const running = runConnect(byLine(), deps());
    await isShown();
    line.cut();
    await isBack();
    stop.abort();
    expect(await running).toEqual({ kind: "lost", why: "interrupted" });
  });

  test("as that of a broker that is killed is made again: it ends like one in order", async () => {
    const running = runConnect(byLine(), deps());
    await isShown();
    const session = door.store.sessions[0];
    line.end();
    await until("the broker has noticed", () => session?.end !== undefined);
    // What its successor finds and writes down.
    if (session?.end !== undefined) session.end = { ...session.end, cause: "broker-lost" };
    await isBack();
    stop.abort();
    await running;
    expect(said.join()).toContain("the connection was lost (the broker closed it); connecting again");
  });

  test("is not made again when the desktop goes on with somebody meanwhile", async () => {
    const running = runConnect(byLine(), deps({ times: { firstRetryMs: 4_000 } }));
    await isShown();
    line.cut();
    const elsewhere = runConnect(options(), deps());
    await isBack();
    expect(await running).toEqual({ kind: "ended", why: "a newer client took over" });
    expect(desktop.connections.length).toBe(2);
    stop.abort();
    await elsewhere;
  });

  test("is made again at a broker of QVD 4, which can't be asked", async () => {
    const running = runConnect(byLine(), deps());
    await isShown();
    door.store.readEnd = async () => undefined;
    line.cut();
    await isBack();
    stop.abort();
    await running;
  });

  test("waits for a broker that has just started to be able to look", async () => {
    const running = runConnect(byLine(), deps({ times: { firstRetryMs: 1_500, mostRetryMs: 1_500 } }));
    await isShown();
    const session = door.store.sessions[0];
    line.end();
    await until("the broker has noticed", () => session?.end !== undefined);
    if (session?.end !== undefined) session.end = { ...session.end, cause: "broker-lost" };
    door.store.isAway = true;
    await until("it asked", () => said.at(-1)?.includes("The database does not answer") === true);
    door.store.isAway = false;
    await isBack();
    stop.abort();
    await running;
  });

  test("is made again by the password where the token's time is over", async () => {
    const running = runConnect(byLine(), deps());
    await isShown();
    door.auth.tokens.clear();
    line.cut();
    await isBack();
    stop.abort();
    await running;
  });

  test("is told to whom neither lets in any more, such as a code that is good once", async () => {
    const running = runConnect(byLine(), deps());
    await isShown();
    door.auth.tokens.clear();
    door.auth.password = "another";
    line.cut();
    await expect(running).rejects.toThrow(/neither what this client had .* vm7 waits: connect again/);
    expect(desktop.connections.length).toBe(1);
  });

  test("without a word is noticed by what gets no answer", async () => {
    const times = { firstRetryMs: 10, lookEveryMs: 50, silenceMs: 1_000 };
    const running = runConnect(byLine(), deps({ times }));
    await isShown();
    line.swallow();
    // The stand-in repeats what it hears, so it sends something that nothing comes back for.
    await isBack();
    stop.abort();
    await running;
    expect(said.join()).toContain("nothing came any more");
  });
});

describe("nobody gets in", () => {
  const refusals: readonly [what: string, more: Partial<ConnectOptions>, words: RegExp][] = [
    ["with a wrong password", { password: "wrong" }, /signing in as alice failed: wrong login or password/],
    ["to a desktop of somebody else", { vm: "9" }, /no desktop of yours is called 9; there are: vm7/],
    [
      "where nobody listens",
      { place: { host: "127.0.0.1", port: 9 } },
      /connecting to 127\.0\.0\.1:9 failed/,
    ],
  ];
  test.each(refusals)("%s", async (_what, more, words) => {
    await expect(runConnect(options(more), deps())).rejects.toThrow(words);
    expect(desktop.connections).toEqual([]);
  });

  test("before the certificate is believed: not even the password is sent", async () => {
    let shown: ShownCertificate | undefined;
    const requireTrust = async (certificate: ShownCertificate) => {
      shown = certificate;
      throw new Error("not believed");
    };
    await expect(runConnect(options(), deps({ requireTrust }))).rejects.toThrow("not believed");
    expect(shown?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(shown?.distrust).toContain("nobody vouches for the certificate of 127.0.0.1");
    expect(door.asked).toEqual([]);
  });
});

/** A network between client and broker that can be cut, or lose all that is under way. */
type Line = { readonly port: number; cut(): void; end(): void; swallow(): void; close(): void };

function openLine(target: number): Line {
  const pairs: { readonly near: Socket; readonly far: Socket }[] = [];
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    pairs.push({ near, far });
    near.pipe(far);
    far.pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    port: address.port,
    cut: () => {
      for (const { near, far } of pairs.splice(0)) {
        near.resetAndDestroy();
        far.destroy();
      }
    },
    end: () => {
      for (const { near, far } of pairs.splice(0)) {
        near.end();
        far.destroy();
      }
    },
    swallow: () => {
      for (const { near, far } of pairs.splice(0)) {
        for (const end of [near, far]) {
          end.unpipe();
          end.resume();
        }
      }
    },
    close: () => {
      for (const { near, far } of pairs) for (const end of [near, far]) end.destroy();
      server.close();
    },
  };
}
