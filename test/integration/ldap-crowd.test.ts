/** A crowd before a directory that is mute. */

import { expect, test } from "bun:test";
import type { Socket } from "node:net";
import { waitFor } from "../../src/lib/wait.ts";
import { createTestAuthenticator, resolveSettings } from "../support/ldap-asker.ts";
import { listenPlain, portOf } from "../support/listen-plain.ts";

test("an administrator is looked for while users crowd", async () => {
  const sockets: Socket[] = [];
  const mute = await listenPlain((socket) => sockets.push(socket));
  const { values: settings } = resolveSettings({
    "auth.ldap.host": [`ldap://127.0.0.1:${portOf(mute)}`],
    "auth.ldap.userbindpattern": "uid=%u,dc=example",
    "auth.ldap.timeout": 20,
  });
  const authenticator = createTestAuthenticator();
  const leave = new AbortController();
  const outcomes: string[] = [];
  const ask = async (kind: "user" | "administrator", login: string) => {
    const proof = { kind: "password", password: "guess" } as const;
    const name = { login, tenant: "default" };
    const finding = await authenticator.prove({ kind, name, proof, origin: login, settings }, leave.signal);
    outcomes.push(`${kind} ${finding.outcome}`);
  };
  const crowd = Array.from({ length: 240 }, (_, n) => ask("user", `user${n}`));
  expect(await waitFor(() => outcomes.includes("user busy"), { timeoutMs: 20_000 })).toBe(true);
  expect(await waitFor(() => sockets.length === 32, { timeoutMs: 20_000 })).toBe(true);
  const admin = ask("administrator", "ann");
  expect(await waitFor(() => sockets.length === 33, { timeoutMs: 20_000 })).toBe(true);
  expect(outcomes).not.toContain("administrator busy");
  leave.abort();
  mute.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all([...crowd, admin]);
}, 60_000);
