/** A crowd before a directory that is mute. */

import { afterEach, expect, test } from "bun:test";
import type { Socket } from "node:net";
import type { Attempt } from "../../src/auth/authenticator.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createTestAuthenticator, resolveSettings } from "../support/ldap-asker.ts";
import { listenPlain, portOf } from "../support/listen-plain.ts";

const leave: AbortController[] = [];
const mutes: { close(): void }[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const one of leave.splice(0)) one.abort();
  for (const one of mutes.splice(0)) one.close();
  for (const one of sockets.splice(0)) one.destroy();
});

type Asked = { readonly kind?: "user" | "administrator"; readonly login: string } & Partial<Attempt>;

/** People before a directory that takes connections and says nothing. */
async function openMute() {
  const mute = await listenPlain((socket) => sockets.push(socket));
  mutes.push(mute);
  const { values: settings } = resolveSettings({
    "auth.ldap.host": [`ldap://127.0.0.1:${portOf(mute)}`],
    "auth.ldap.userbindpattern": "uid=%u,dc=example",
    "auth.ldap.timeout": 20,
  });
  const authenticator = createTestAuthenticator();
  const left = new AbortController();
  leave.push(left);
  const outcomes: string[] = [];
  return {
    outcomes,
    authenticator,
    leave: () => left.abort(),
    ask: async ({ kind = "user", login, ...more }: Asked) => {
      const proof = { kind: "password", password: "guess" } as const;
      const name = { login, tenant: "default" };
      const attempt = { kind, name, proof, origin: login, settings, ...more };
      outcomes.push(`${kind} ${(await authenticator.prove(attempt, left.signal)).outcome}`);
    },
  };
}

const isFull = async () =>
  expect(await waitFor(() => sockets.length === 32, { timeoutMs: 20_000 })).toBe(true);

test("an administrator is looked for while users crowd", async () => {
  const { ask, outcomes, leave } = await openMute();
  const crowd = Array.from({ length: 240 }, (_, n) => ask({ login: `user${n}` }));
  await isFull();
  const admin = ask({ kind: "administrator", login: "ann" });
  expect(await waitFor(() => sockets.length === 33, { timeoutMs: 20_000 })).toBe(true);
  expect(outcomes).toEqual([]);
  leave();
  await Promise.all([...crowd, admin]);
}, 60_000);

test("a crowd waits for its turn, and is told where it stands", async () => {
  const { ask, outcomes, authenticator, leave } = await openMute();
  const crowd = Array.from({ length: 32 }, (_, n) => ask({ login: `user${n}` }));
  await isFull();
  const places: number[] = [];
  const later = Array.from({ length: 300 }, (_, n) =>
    ask({ login: `late${n}`, ...(n === 299 && { onPlace: ({ number }) => void places.push(number) }) }),
  );
  authenticator.tellPlaces?.();
  expect(places).toEqual([300, 300]);
  expect(outcomes).toEqual([]);
  leave();
  await Promise.all([...crowd, ...later]);
  // Whoever has left was neither proved nor refused.
  expect(new Set(outcomes)).toEqual(new Set(["user unavailable"]));
}, 60_000);

test("whoever would wait for longer than they may is told at once when to come again", async () => {
  const { ask, outcomes, leave } = await openMute();
  const crowd = Array.from({ length: 32 }, (_, n) => ask({ login: `user${n}` }));
  await isFull();
  await ask({ login: "hurried", mayWaitMs: 1 });
  expect(outcomes).toEqual(["user busy"]);
  leave();
  await Promise.all(crowd);
}, 60_000);
