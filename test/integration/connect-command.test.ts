/** `qvd connect` as a program, in a terminal and without: whom it believes, what it keeps, and what it warns of. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type BrokerDoor,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  until,
} from "../support/broker-door.ts";
import { portOf } from "../support/listen-plain.ts";
import { createTlsPair } from "../support/tls-pair.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const STAND_IN = fileURLToPath(new URL("../support/stand-in-nxproxy.ts", import.meta.url));
const PRINT = /SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/;
const TIMEOUT_MS = 90_000;

let home = "";
let pins = "";
let desktop: EchoDesktop;
let doors: BrokerDoor[];
/** In front of the brokers, so that one place can show another certificate. */
let front: Server;
let place = "";

beforeEach(async () => {
  home = mkdtempSync(`${tmpdir()}/qvd-connect-`);
  pins = `${home}/.config/qvd/known-brokers.json`;
  program(
    "nxproxy",
    `echo "$DISPLAY $XAUTHORITY" > '${home}/display'; exec '${process.execPath}' '${STAND_IN}' "$@"`,
  );
  program("Xephyr", "exit 1");
  desktop = openEchoDesktop();
  doors = [];
  front = createServer((near) => {
    const far = connect(door().port, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  place = `127.0.0.1:${portOf(front)}`;
  await openDoor();
});
afterEach(async () => {
  front.close();
  for (const one of doors) await one.close();
  desktop.stop();
  rmSync(home, { recursive: true });
});

const door = (): BrokerDoor => {
  const last = doors.at(-1);
  if (last === undefined) throw new Error("a door is opened first");
  return last;
};

/** The broker at our place is this one from now on, with a certificate of its own. */
async function openDoor(pair?: Awaited<ReturnType<typeof createTlsPair>>): Promise<void> {
  const listen = pair && { address: "127.0.0.1", port: 0, ...pair };
  const opened = await openBrokerDoor(listen && { listen });
  opened.store.addDesktop(7, 1, { state: "running", wish: "running" });
  opened.store.onRequest = (session) => reportListening(opened.store, session, desktop.port);
  doors.push(opened);
}

function program(name: string, script: string): void {
  writeFileSync(`${home}/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(`${home}/${name}`, 0o755);
}

const command = (words: readonly string[]) => [process.execPath, MAIN, "connect", ...words];
const env = () => ({ HOME: home, PATH: `${home}:/usr/bin:/bin`, DISPLAY: ":0", LANG: "C.UTF-8" });
const whole = (...more: readonly string[]) => [
  ...["--host", place, "--user", "alice", "--vm", "7", "--real-display"],
  ...more,
];

type Ended = { readonly code: number; readonly said: string };

/** In a script: the password is on stdin. Leaves the desktop once it is shown. */
async function runScripted(...words: readonly string[]): Promise<Ended> {
  const running = Bun.spawn(command(words), {
    env: env(),
    stdio: [new Blob(["secret\n"]), "pipe", "pipe"],
  });
  return await leaveAfter(running, new Response(running.stderr).text());
}

/** At a terminal: the password is typed, `answer` to whether the certificate is believed, and what else is asked in its order. */
async function runTyped(answer: string, ...words: readonly string[]): Promise<Ended> {
  return await runAsked({ "Type yes to keep it: ": [answer] }, ...words);
}

async function runAsked(
  asked: Readonly<Record<string, readonly string[]>>,
  ...words: readonly string[]
): Promise<Ended> {
  let said = "";
  const open = Object.entries({ "Password of alice: ": ["secret"], ...asked }).flatMap(([prompt, answers]) =>
    answers.map((answer, index) => ({ prompt, answer, times: index + 1 })),
  );
  const running = Bun.spawn(command(words), {
    env: env(),
    terminal: {
      data: (terminal, chunk) => {
        said += Buffer.from(chunk).toString();
        for (const one of open.filter(({ prompt, times }) => said.split(prompt).length > times)) {
          open.splice(open.indexOf(one), 1);
          terminal.write(`${one.answer}\r`);
        }
      },
    },
  });
  const ended = await leaveAfter(running, Promise.resolve(""));
  running.terminal?.close();
  return { ...ended, said };
}

async function leaveAfter(running: Bun.Subprocess, saying: Promise<string>): Promise<Ended> {
  let hasEnded = false;
  const code = running.exited.finally(() => {
    hasEnded = true;
  });
  const [connections, bytes] = [desktop.connections.length, desktop.receivedBytes];
  const isShown = () => desktop.connections.length > connections && desktop.receivedBytes > bytes;
  await until("it ends or shows", () => hasEnded || isShown(), 60_000);
  // Again and again: what is said before the viewer has spoken is for nobody.
  const leaving = setInterval(() => desktop.connections.at(-1)?.write("leave\n"), 50);
  return { code: await code.finally(() => clearInterval(leaving)), said: await saying };
}

const printOf = ({ said }: Ended) => PRINT.exec(said)?.[1] ?? "none was told";
const kept = (): unknown => (existsSync(pins) ? JSON.parse(readFileSync(pins, "utf8")) : undefined);

describe("a certificate that nobody vouches for", () => {
  test(
    "is refused where nobody can compare it, and nobody's name was sent",
    async () => {
      const refused = await runScripted(...whole());
      expect(refused.code).toBe(3);
      expect(printOf(refused)).toMatch(/^[0-9A-F:]{95}$/);
      expect(refused.said).toContain("nobody is there to compare it");
      expect([kept(), door().asked, desktop.connections.length]).toEqual([undefined, [], 0]);
    },
    TIMEOUT_MS,
  );

  test(
    "is kept when a person says yes, and believed from then on; any other word keeps nothing",
    async () => {
      const declined = await runTyped("y", ...whole());
      expect([declined.code, kept(), door().asked]).toEqual([3, undefined, []]);
      expect(declined.said).toContain("the certificate was not accepted");
      expect(declined.said).not.toContain("Password of");
      const accepted = await runTyped("yes", ...whole());
      expect(accepted.said).toContain("connected to vm7");
      expect(accepted.code).toBe(0);
      expect(kept()).toEqual({ [place]: printOf(accepted) });
      expect(statSync(pins).mode & 0o777).toBe(0o600);
      const again = await runScripted(...whole());
      expect([again.code, printOf(again)]).toEqual([0, "none was told"]);
    },
    TIMEOUT_MS,
  );

  test(
    "that has changed is refused with both, before anything is sent, and replaced only by its name",
    async () => {
      const first = printOf(await runScripted(...whole()));
      expect((await runScripted(...whole("--accept-certificate", first))).code).toBe(0);
      await openDoor();
      const warned = await runScripted(...whole());
      const second = printOf(warned);
      expect(warned.code).toBe(3);
      expect(warned.said).toContain("WARNING");
      expect(warned.said).toContain(`before  ${first}`);
      expect(second).not.toBe(first);
      // A person at a terminal isn't asked either: yes is said too easily.
      const typed = await runTyped("yes", ...whole());
      expect(typed.code).toBe(3);
      expect(typed.said).not.toContain("Type yes");
      expect((await runScripted(...whole("--accept-certificate", first))).code).toBe(3);
      expect([kept(), door().asked]).toEqual([{ [place]: first }, []]);
      expect((await runScripted(...whole("--accept-certificate", second.toLowerCase()))).code).toBe(0);
      expect(kept()).toEqual({ [place]: second });
      expect((await runScripted(...whole())).code).toBe(0);
    },
    TIMEOUT_MS,
  );
});

describe("a certificate that an authority vouches for", () => {
  /** The system's authorities are the one in `file`, for this program alone. */
  const believing = (file: string, words: readonly string[]) => [
    ...["unshare", "--mount", "sh", "-c"],
    ...['mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"', file, ...words],
  ];

  test(
    "is believed without a word: the system's, beside another's file too, and that file's",
    async () => {
      const [trusted, other] = [await createTlsPair(), await createTlsPair()];
      await openDoor(trusted);
      writeFileSync(`${home}/trusted.crt`, trusted.tlsCertificate);
      writeFileSync(`${home}/other.crt`, other.tlsCertificate);
      const run = async (command: readonly string[]) => {
        const stdio: [Blob, "pipe", "pipe"] = [new Blob(["secret\n"]), "pipe", "pipe"];
        const running = Bun.spawn([...command], { env: env(), stdio });
        const { code, said } = await leaveAfter(running, new Response(running.stderr).text());
        return [code, said.includes("SHA-256")];
      };
      const withOther = command(whole("--ca", `${home}/other.crt`));
      expect(await run(believing(`${home}/trusted.crt`, command(whole())))).toEqual([0, false]);
      expect(await run(believing(`${home}/trusted.crt`, withOther))).toEqual([0, false]);
      expect(await run(command(whole("--ca", `${home}/trusted.crt`)))).toEqual([0, false]);
      expect(await run(withOther)).toEqual([3, true]);
      expect(kept()).toBeUndefined();
    },
    TIMEOUT_MS,
  );
});

describe("a person at a terminal", () => {
  const others = ["--user", "alice", "--real-display"];

  test(
    "is asked for what wasn't said, and again after a slip",
    async () => {
      door().store.addDesktop(8, 1, { state: "running", wish: "running" });
      const asked = {
        "HOST or HOST:PORT: ": [place],
        "Type yes to keep it: ": ["yes"],
        "Which one? ": ["3", "vm", "vm8"],
      };
      const ended = await runAsked(asked, ...others);
      expect(ended.said).toContain("3 is none of them: vm7, vm8");
      expect(ended.said).toContain("connected to vm8");
      expect(ended.code).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "is not asked for ever",
    async () => {
      door().store.addDesktop(8, 1, { state: "running", wish: "running" });
      const asked = { "Type yes to keep it: ": ["yes"], "Which one? ": ["3", "3", "3", "3", "3"] };
      const ended = await runAsked(asked, "--host", place, ...others);
      expect([ended.code, desktop.connections.length]).toEqual([2, 0]);
    },
    TIMEOUT_MS,
  );

  test(
    "has the keyboard of their display, and the key to it where X's programs look",
    async () => {
      program("setxkbmap", `[ "$1 $DISPLAY" = "-query :0" ] && echo 'layout:     es,us'`);
      writeFileSync(`${home}/.Xauthority`, "");
      const first = printOf(await runScripted(...whole()));
      expect((await runScripted(...whole("--accept-certificate", first))).code).toBe(0);
      expect(door().store.sessions[0]?.client.given?.["qvd.client.keyboard"]).toBe("pc105/es");
      expect(readFileSync(`${home}/display`, "utf8")).toBe(`:0 ${home}/.Xauthority\n`);
      program("setxkbmap", "exit 1");
      expect((await runScripted(...whole())).code).toBe(0);
      expect(door().store.sessions[1]?.client.given?.["qvd.client.keyboard"]).toBeUndefined();
      expect((await runScripted(...whole("--keyboard", "pc105/pt"))).code).toBe(0);
      expect(door().store.sessions[2]?.client.keyboard).toBe("pc105/pt");
    },
    TIMEOUT_MS,
  );
});

test(
  "no password is asked for what answers and is no broker",
  async () => {
    const { tlsCertificate: cert, tlsKey: key } = await createTlsPair();
    const other = Bun.serve({ port: 0, tls: { cert, key }, fetch: () => new Response("a page") });
    try {
      const words = ["--host", `127.0.0.1:${other.port}`, "--user", "alice", "--real-display"];
      const ended = await runTyped("yes", ...words);
      expect(ended.code).toBe(4);
      expect(ended.said).toContain("what answers there is no QVD broker");
      expect(ended.said).not.toContain("Password of");
    } finally {
      await other.stop(true);
    }
  },
  TIMEOUT_MS,
);

describe("a profile", () => {
  test(
    "keeps what was said, but for password and dangers, and is taken by its name",
    async () => {
      const first = printOf(await runScripted(...whole()));
      const saved = await runScripted(
        ...whole("--accept-certificate", first, "--geometry", "800x600", "--save-profile", "work"),
      );
      expect([saved.code, door().asked]).toEqual([0, []]);
      const file = `${home}/.config/qvd/profiles/work.json`;
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
        ...{ host: place, user: "alice", vm: "7", geometry: "800x600" },
      });
      // The certificate was named for the profile's making only.
      expect(kept()).toBeUndefined();
      const ended = await runScripted("--profile", "work", "--real-display", "--accept-certificate", first);
      expect(ended.code).toBe(0);
      expect(door().store.sessions[0]?.client.geometry).toBe("800x600");
      const unknown = await runScripted("--profile", "home", "--real-display");
      expect([unknown.code, unknown.said.includes("there is no profile home")]).toEqual([2, true]);
    },
    TIMEOUT_MS,
  );
});

describe("the real display", () => {
  const WARNING = "warning: on your real display the desktop can see your keys";

  test(
    "is used on wish alone, and with a warning",
    async () => {
      const first = printOf(await runScripted(...whole()));
      const ended = await runScripted(...whole("--accept-certificate", first));
      expect(ended.said).toContain(WARNING);
      expect(readFileSync(`${home}/display`, "utf8")).toBe(":0 \n");
    },
    TIMEOUT_MS,
  );

  test(
    "doesn't take the place of a window of one's own that can't be opened",
    async () => {
      const ended = await runScripted("--host", place, "--user", "alice", "--vm", "7");
      expect(ended.code).toBe(1);
      expect(ended.said).not.toContain(WARNING);
      expect([existsSync(`${home}/display`), door().asked]).toEqual([false, []]);
    },
    TIMEOUT_MS,
  );
});
