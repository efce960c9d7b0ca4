import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { renderOrderScript } from "./order-script.ts";

const ORDER = {
  session: 5,
  account: { login: "alice.b", uid: 2001, fullName: "Alice O'Hara: the first" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: "10.93.0.1",
  slaveKey: "k",
} as const;

function isShell(script: string): boolean {
  return Bun.spawnSync(["sh", "-n"], { stdin: Buffer.from(script) }).exitCode === 0;
}

test("the usual session is a script of the shell's, whatever the person is called", () => {
  const script = renderOrderScript(ORDER) ?? "";
  expect(isShell(script)).toBe(true);
  expect(script).toContain("'alice.b:x:2001:2001:Alice O'\\''Hara  the first:/home/alice.b:'");
  expect(script).toContain("accept=10.93.0.1");
});

test("a time zone that climbs is left to the agent's own check", () => {
  const zoned = (zone: string) => ({
    ...ORDER,
    client: { ...ORDER.client, given: { "qvd.client.timezone": zone } },
  });
  expect(renderOrderScript(zoned("Europe/Madrid"))).toContain("ln -sfn '/usr/share/zoneinfo/Europe/Madrid'");
  expect(renderOrderScript(zoned("../../etc/shadow"))).not.toContain("zoneinfo");
});

test("what a client needs to offer its folders is there with the session, where it may offer any", () => {
  expect(renderOrderScript(ORDER)).toContain("printf %s 'k' >/run/qvd-guest/slave-key");
  expect(renderOrderScript(ORDER)).toContain("chmod 755 /run/qvd-guest/nx-slave");
  const told = { ...ORDER, client: { ...ORDER.client, given: { "qvd.client.slave.enable": "0" } } };
  expect(renderOrderScript(told)).not.toContain("slave-key");
});

test.each([
  ["a browser's", { ...ORDER, access: "browser" }],
  ["one whose home is led to elsewhere", { ...ORDER, parameters: { "qvd.vm.user.home": "/srv/alice" } }],
  ["one of a login that can't be an account", { ...ORDER, account: { ...ORDER.account, login: "a b" } }],
  ["one whose options can't be written", { ...ORDER, client: { ...ORDER.client, link: "lan,accept=all" } }],
] as const)("%s session is the agent's to start", (_which, order) => {
  expect(renderOrderScript(order)).toBeUndefined();
});

/** What the script does before it changes anything, in a root of its own by a shell that has none of the real paths. */
test("a script that finds no home changes nothing", () => {
  const script = renderOrderScript({ ...ORDER, account: { ...ORDER.account, login: "nobody-here-7" } }) ?? "";
  const ended = Bun.spawnSync(["sh", "-c", script]);
  // What waits is told, so that the agent needn't wait with it.
  expect(script).toStartWith("trap 'if [ -p /run/qvd/gate ]; then echo >/run/qvd/gate; fi' EXIT\n");
  expect([ended.exitCode, ended.stdout.toString(), ended.stderr.toString()]).toEqual([0, "", ""]);
});

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\n";
const GROUP = "root:x:0:\nstaff:x:50:bob\n";

/** The part of the script that looks at the accounts, over files of ours; true where it goes on. */
function takesAccount(login: string, files: Readonly<Record<string, string>>): boolean {
  const script = renderOrderScript({ ...ORDER, account: { ...ORDER.account, login } }) ?? "";
  const folder = mkdtempSync(`${tmpdir()}/qvd-accounts-`);
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
    const part = script.slice(script.indexOf("files="), script.indexOf("shell=/bin/sh"));
    const check = part.replaceAll("/etc/", `${folder}/`);
    return Bun.spawnSync(["sh", "-c", `${check}echo new`]).stdout.toString() === "new\n";
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(["alice", "alice.b", "_x", "a-b", "line"])(
  "the account %s is new where none has its name or number",
  (login) => {
    const files = { passwd: PASSWD, group: GROUP };
    expect(takesAccount(login, files)).toBe(true);
    expect(takesAccount(login, { ...files, shadow: "root:*:1::::::\n", gshadow: "" })).toBe(true);
    expect(takesAccount(login, { ...files, passwd: `${PASSWD}${login}:x:7:7::/:/bin/sh\n` })).toBe(false);
    expect(takesAccount(login, { ...files, group: `${login}:x:7:\n${GROUP}` })).toBe(false);
    expect(takesAccount(login, { ...files, passwd: `${PASSWD}x${login}:x:7:7::/:/bin/sh\n` })).toBe(true);
  },
);

test.each([
  ["whose number another account has", { passwd: `${PASSWD}carol:x:2001:100::/:/bin/sh\n`, group: GROUP }],
  ["whose number a group has", { passwd: PASSWD, group: `${GROUP}carol:x:2001:\n` }],
  ["where a file ends within a line", { passwd: PASSWD, group: "root:x:0:" }],
  ["where the last file ends within a line", { passwd: PASSWD, group: GROUP, gshadow: "root:*::" }],
  ["where there are no accounts", { group: GROUP }],
])("an account %s is the agent's to make", (_which, files) => {
  expect(takesAccount("alice", files)).toBe(false);
});

test("a point in a name is no wildcard when accounts are looked for", () => {
  expect(takesAccount("alice.b", { passwd: `${PASSWD}aliceXb:x:7:7::/:/bin/sh\n`, group: GROUP })).toBe(true);
});
