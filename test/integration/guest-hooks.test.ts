/** An image's hooks as programs: found, told, waited for, ended; and what the session makes of their failing. */

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { GuestHooks } from "../../src/guest/hooks/hooks.ts";
import { guestPlaces } from "../../src/guest/places.ts";
import type { ProvisioningHook } from "../../src/guest/provision.ts";
import { GuestSession } from "../../src/guest/session/guest-session.ts";
import type { PrepareOrder } from "../../src/guest/session/order.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";

const root = mkdtempSync(`${tmpdir()}/qvd-hooks-`);
let folder: string;
let told: string[];
let count = 0;

beforeEach(() => {
  folder = `${root}/${++count}`;
  mkdirSync(`${folder}/hooks`, { recursive: true });
  told = [];
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function open(timeoutMs = 5_000): GuestHooks {
  return new GuestHooks({
    log: silentLog(),
    onFailure: (hook, text) => told.push(`${hook}: ${text}`),
    conf: `${folder}/vma.conf`,
    folder: `${folder}/hooks`,
    logFile: `${folder}/log`,
    timeoutMs,
  });
}

function script(path: string, body: string, mode = 0o755): string {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, mode);
  return path;
}
const hook = (name: string, body: string, mode?: number) => script(`${folder}/hooks/${name}`, body, mode);
const said = () => readFileSync(`${folder}/said`, "utf8");

describe("a hook", () => {
  test("that isn't there is absent, and nobody is told", async () => {
    expect(await open().run("connect", {})).toEqual({ kind: "absent" });
    expect(told).toEqual([]);
  });

  test("gets its pairs as arguments, whatever is in them", async () => {
    hook("connect", `printf '%s\\n' "$@" > ${folder}/said`);
    const pairs = { "qvd.vm.user.name": "ann", odd: "a b'c\"$(id)", empty: "" };
    expect(await open().run("connect", pairs)).toEqual({ kind: "done" });
    expect(said()).toBe("qvd.vm.user.name\nann\nodd\na b'c\"$(id)\nempty\n\n");
  });

  test("named in vma.conf goes before one in the folder", async () => {
    hook("stop", `echo folder > ${folder}/said`);
    script(`${folder}/elsewhere`, `echo conf > ${folder}/said`);
    writeFileSync(`${folder}/vma.conf`, `vma.on_action.stop = ${folder}/elsewhere\n`);
    expect(await open().run("stop", {})).toEqual({ kind: "done" });
    expect(said()).toBe("conf\n");
  });

  test("that fails is told with its last words", async () => {
    hook("connect", "echo first; echo 'no licence left' >&2; exit 3");
    const text = `The hook connect (${folder}/hooks/connect) ended with 3: no licence left`;
    expect(await open().run("connect", {})).toEqual({ kind: "failed", text });
    expect(told).toEqual([`connect: ${text}`]);
    expect(readFileSync(`${folder}/log`, "utf8")).toBe("first\nno licence left\n");
  });

  test("that is named but isn't there is a failure, one that is switched off isn't", async () => {
    writeFileSync(`${folder}/vma.conf`, "vma.on_action.stop = /no/such/hook\n");
    expect(await open().run("stop", {})).toMatchObject({ kind: "failed" });
    hook("connect", "exit 1", 0o644);
    expect(await open().run("connect", {})).toEqual({ kind: "absent" });
  });

  test("that hangs is killed with all it started", async () => {
    hook("connect", `sleep 60 & echo $! > ${folder}/said; sleep 60`);
    const outcome = await open(3_000).run("connect", {});
    expect(outcome).toMatchObject({
      kind: "failed",
      text: expect.stringContaining("was not done after 3 s"),
    });
    const child = Number(said());
    expect(await waitFor(() => !existsSync(`/proc/${child}/cwd`), { timeoutMs: 10_000, everyMs: 10 })).toBe(
      true,
    );
  });

  test("may leave something running behind", async () => {
    hook("connect", `sleep 60 & echo $! > ${folder}/said`);
    // Whoever waited for what it left would find it not done in time.
    expect(await open().run("connect", {})).toEqual({ kind: "done" });
    process.kill(Number(said()), "SIGKILL");
  });

  test("of a state doesn't run more than a few at a time", async () => {
    hook("connected", `while [ ! -e ${folder}/go ]; do sleep 0.02; done; echo x >> ${folder}/said`);
    const hooks = open();
    for (let n = 0; n < 6; n++) hooks.runBeside("connected", {});
    expect(told).toHaveLength(2);
    writeFileSync(`${folder}/go`, "");
    expect(
      await waitFor(() => existsSync(`${folder}/said`) && said() === "x\n".repeat(4), {
        timeoutMs: 15_000,
        everyMs: 10,
      }),
    ).toBe(true);
  });
});

describe("a session", () => {
  const order: PrepareOrder = {
    type: "session-prepare",
    order: 1,
    session: 7,
    account: { login: "ann", uid: 10_001, fullName: "Ann" },
    client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false },
    accept: "10.0.0.1",
    slaveKey: "k",
    properties: { site: "berlin" },
  };
  let steps: string[];

  function openSession(provision?: (hook: ProvisioningHook) => Promise<void>): GuestSession {
    steps = [];
    mkdirSync(`${folder}/run`, { recursive: true });
    return new GuestSession({
      places: guestPlaces(`${folder}/run`),
      log: silentLog(),
      clock: systemClock,
      hooks: open(),
      provision: async (_account, ask) => {
        steps.push("provision");
        await provision?.(ask);
        return { isGood: true, home: "/home/ann", gid: 1, shell: "/bin/sh" };
      },
      launch: () => {
        steps.push("launch");
        writeFileSync(`${folder}/run/session.log`, "");
        const child = Bun.spawn(["true"]);
        return { pid: child.pid, exited: child.exited };
      },
      linkHome: (wanted, home) => steps.push(`${wanted} leads to ${home}`),
      isPortOpen: () => false,
      onChange: () => {},
      limits: { startMs: 300 },
    });
  }

  test("that its pre-connect hook refuses changes nothing", async () => {
    hook("pre-connect", "echo 'not today'; exit 1");
    const outcome = await openSession().prepare(order);
    expect(outcome).toMatchObject({
      isGood: false,
      fault: "hook-failed",
      text: expect.stringContaining("not today"),
    });
    expect(steps).toEqual([]);
  });

  test("that its connect hook refuses is provisioned and not started", async () => {
    hook("pre-connect", `echo "pre $*" >> ${folder}/said`);
    hook("connect", `echo "connect $*" >> ${folder}/said; exit 1`);
    expect(await openSession().prepare(order)).toMatchObject({ fault: "hook-failed" });
    expect(steps).toEqual(["provision"]);
    expect(said()).toMatch(
      /^pre site berlin .*qvd\.hook\.on_action pre_connect\nconnect site berlin .*qvd\.hook\.on_action connect\n$/,
    );
  });

  test("hands the provisioning its hooks, with what they are for", async () => {
    hook("add_user", `echo "$*" >> ${folder}/said`);
    const session = openSession(async (ask) => {
      steps.push((await ask("mount_home")).kind, (await ask("add_user")).kind);
    });
    await session.prepare(order);
    expect(steps.slice(0, 3)).toEqual(["provision", "absent", "done"]);
    expect(said()).toContain("qvd.hook.on_provisioning add_user");
  });

  test("whose directory names another home tells its hooks where the home is, to which that leads", async () => {
    for (const name of ["mount_home", "connect"]) hook(name, `echo "${name} $*" >> ${folder}/said`);
    const session = openSession(async (ask) => void (await ask("mount_home")));
    const named = { "qvd.vm.user.home": "/srv/ann", "qvd.vm.user.ldap.home": "/srv/ann" };
    await session.prepare({ ...order, parameters: { ...named, "qvd.vm.user.uid": "20001" } });
    expect(steps).toContain("/srv/ann leads to /home/ann");
    const lines = said().trim().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toContain(" qvd.vm.user.home /home/ann ");
      expect(line).toContain(" qvd.vm.user.ldap.home /srv/ann ");
      expect(line).toContain(" qvd.vm.user.uid 20001 ");
    }
  });

  test("that expires tells its hook when, and the hook may keep it from the person", async () => {
    hook("expire", `echo "$*" > ${folder}/said; exit 1`);
    const outcome = await openSession().expire({ soft: "2026-11-21T18:00:00Z", hard: "" });
    expect(outcome).toMatchObject({ isGood: false, fault: "hook-failed" });
    expect(said()).toContain(
      "qvd.hook.on_action expire vm.expiration.soft 2026-11-21T18:00:00Z vm.expiration.hard",
    );
  });

  test("that isn't there needs no hook to stop, and a power-off asks its own", async () => {
    hook("stop", `echo stop >> ${folder}/said`);
    hook("poweroff", `echo poweroff >> ${folder}/said; exit 1`);
    const session = openSession();
    expect(await session.stop()).toEqual({ isGood: true });
    expect(existsSync(`${folder}/said`)).toBe(false);
    expect(await session.powerOff()).toMatchObject({ isGood: false, fault: "hook-failed" });
    expect(said()).toBe("poweroff\n");
  });
});
