/** What every BrokerStore promises, run by the tables in memory and by PostgreSQL. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { BrokerStore, SessionEnd } from "../../src/broker/store.ts";
import type { UserActor } from "../../src/domain/access/actor.ts";
import { asId, type SessionId, type VmId } from "../../src/domain/ids.ts";
import { chooseClientParameters } from "../../src/domain/session/client-parameters.ts";

export type StoreUnderTest = {
  readonly store: BrokerStore;
  readonly alice: { readonly actor: UserActor; readonly vmId: VmId };
  readonly bob: { readonly actor: UserActor; readonly vmId: VmId };
  /** As the node would report a session. */
  readonly reportListening: (sessionId: SessionId, address: string, port: number) => Promise<void>;
  readonly wishEnded: (vmId: VmId) => Promise<void>;
  readonly close: () => Promise<void>;
};

const END: SessionEnd = { cause: "client-left", bytesToClient: 12_000_000_000, bytesFromClient: 7 };

export function describeBrokerStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the store on ${name}`, () => {
    let given: StoreUnderTest;
    beforeAll(async () => {
      given = await open();
    }, 120_000);
    afterAll(() => given.close());

    const ask = ({ actor, vmId }: StoreUnderTest["alice"] = given.alice) =>
      given.store.requestSession({
        asker: { actor, origin: "192.0.2.1" },
        vmId,
        client: chooseClientParameters(new Map()),
        slaveKey: "k".repeat(64),
      });
    const codesSince = async (vmId: VmId, afterId: number) =>
      (await given.store.listEventsSince(vmId, afterId)).map((event) => event.code);

    test("knows this node, and each user's desktops alone", async () => {
      const { store, alice, bob } = given;
      expect(await store.readNode()).toMatchObject({ isBlocked: false });
      const desktops = await store.listDesktops(alice.actor.userId);
      expect(desktops.map(({ id, userId, isBlocked, state }) => ({ id, userId, isBlocked, state }))).toEqual([
        { id: alice.vmId, userId: alice.actor.userId, isBlocked: false, state: "stopped" },
      ]);
      expect(await store.readDesktop(bob.vmId)).toMatchObject({ userId: bob.actor.userId });
      expect(await store.readDesktop(asId<VmId>(99_999))).toBeUndefined();
    });

    test("reads at once all that a client waits for", async () => {
      const { store, alice } = given;
      const before = await ask();
      const { sessionId, eventId } = await ask();
      const wait = await store.readWait(sessionId, before.eventId);
      expect(wait.session).toEqual(await store.readSession(sessionId));
      // How it may be shown was decided before anybody waits.
      const { console: _offer, ...desktop } = { console: "none", ...(await store.readDesktop(alice.vmId)) };
      expect(wait.desktop).toMatchObject(desktop);
      expect(wait.events).toEqual(await store.listEventsSince(alice.vmId, before.eventId));
      expect(wait.events.map(({ id }) => id)).toContain(eventId);
      expect((await store.readWait(sessionId, eventId + 1_000)).events).toEqual([]);
      expect((await store.readWait(before.sessionId, 0)).session).toMatchObject({ isSuperseded: true });
      await given.reportListening(sessionId, "10.0.0.2", 4100);
      const { session } = await store.readWait(sessionId, eventId);
      expect(session).toMatchObject({ state: "listening", address: "10.0.0.2", port: 4100 });
      const nothing = { session: undefined, desktop: undefined, events: [] };
      expect(await store.readWait(asId<SessionId>(99_999), 0)).toEqual(nothing);
      await store.recordEnded(sessionId, END);
      await store.recordEnded(before.sessionId, END);
    });

    test("tells how a session ended to its user, by its key", async () => {
      const { store, alice, bob } = given;
      const begin = (slaveKey: string) =>
        store.requestSession({
          asker: { actor: alice.actor, origin: "192.0.2.1" },
          vmId: alice.vmId,
          client: chooseClientParameters(new Map()),
          slaveKey,
        });
      const [first, second, third] = ["x".repeat(64), "y".repeat(64), "z".repeat(64)];
      const known = (slaveKey: string) =>
        store.readEnd({ vmId: alice.vmId, userId: alice.actor.userId, slaveKey });
      const { sessionId: firstId } = await begin(first);
      expect(await known(first)).toEqual({ cause: undefined });
      expect(await known(second)).toBeUndefined();
      expect(
        await store.readEnd({ vmId: alice.vmId, userId: bob.actor.userId, slaveKey: first }),
      ).toBeUndefined();
      await store.recordEnded(firstId, END);
      expect(await known(first)).toEqual({ cause: "client-left" });
      // Somebody went on with it elsewhere, after that end or before.
      const { sessionId: secondId } = await begin(second);
      expect(await known(first)).toEqual({ cause: "superseded" });
      const { sessionId: thirdId } = await begin(third);
      expect(await known(second)).toEqual({ cause: "superseded" });
      await given.wishEnded(alice.vmId);
      expect(await known(third)).toEqual({ cause: "ended-by-administrator" });
      for (const sessionId of [secondId, thirdId]) await store.recordEnded(sessionId, END);
    });

    test("takes a request with its trail, and wishes the desktop running", async () => {
      const { store, alice } = given;
      const { sessionId, eventId } = await ask();
      expect(await store.readSession(sessionId)).toEqual({
        state: "requested",
        isSuperseded: false,
        isEnded: false,
        isEndWished: false,
        address: undefined,
        port: undefined,
        faultText: undefined,
      });
      expect((await store.readDesktop(alice.vmId))?.wish).toBe("running");
      expect((await codesSince(alice.vmId, eventId - 1))[0]).toBe("session-requested");
      await given.reportListening(sessionId, "10.0.0.9", 4100);
      expect(await store.readSession(sessionId)).toMatchObject({
        state: "listening",
        address: "10.0.0.9",
        port: 4100,
      });
      await store.recordEnded(sessionId, END);
    });

    test("lets the newer request take over, and tells which session is to end", async () => {
      const { store, alice } = given;
      const older = await ask();
      const newer = await ask();
      expect(await store.readSession(older.sessionId)).toMatchObject({ isSuperseded: true });
      expect(await codesSince(alice.vmId, older.eventId)).toContain("session-superseded");
      expect(await store.listSessionsToEnd()).toEqual([{ id: older.sessionId, cause: "superseded" }]);
      expect(await store.recordConnected(older.sessionId)).toBe(false);
      expect(await store.recordConnected(newer.sessionId)).toBe(true);
      await store.recordEnded(older.sessionId, END);
      await store.recordEnded(newer.sessionId, END);
      expect(await store.listSessionsToEnd()).toEqual([]);
    });

    test("tells of an end that was wished, and records an end once", async () => {
      const { store, alice } = given;
      const { sessionId } = await ask();
      expect(await store.recordConnected(sessionId)).toBe(true);
      await given.wishEnded(alice.vmId);
      expect(await store.listSessionsToEnd()).toEqual([{ id: sessionId, cause: "ended-by-administrator" }]);
      await store.recordEnded(sessionId, END);
      await store.recordEnded(sessionId, { ...END, cause: "again" });
      expect(await store.readSession(sessionId)).toMatchObject({ isEnded: true, isEndWished: true });
      expect(await store.recordConnected(sessionId)).toBe(false);
    });

    test("wishes a desktop stopped", async () => {
      const { store, bob } = given;
      const { sessionId } = await ask(bob);
      await store.wishStopped({ actor: bob.actor, origin: "192.0.2.1" }, bob.vmId);
      expect((await store.readDesktop(bob.vmId))?.wish).toBe("stopped");
      await store.recordEnded(sessionId, END);
    });

    test("ends what an earlier process of the worker left open", async () => {
      const { store } = given;
      const { sessionId } = await ask();
      expect(await store.closeOrphans()).toBe(1);
      expect(await store.readSession(sessionId)).toMatchObject({ isEnded: true });
      expect(await store.closeOrphans()).toBe(0);
    });
  });
}
