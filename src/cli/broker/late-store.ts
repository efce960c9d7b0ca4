/**
 * A store that is opened when first used: a broker listens, and says that it has to wait, before its node has
 * registered or while the database is away.
 */

import type { BrokerStore } from "../../broker/store.ts";

/** `open` is called again until it succeeds once; its error is the answer to whoever asked. */
export function createLateStore(open: () => Promise<BrokerStore>): BrokerStore {
  let opened: Promise<BrokerStore> | undefined;
  const store = () => {
    opened ??= open().catch((error) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    readNode: async () => (await store()).readNode(),
    listDesktops: async (userId) => (await store()).listDesktops(userId),
    readDesktop: async (vmId) => (await store()).readDesktop(vmId),
    requestSession: async (request) => (await store()).requestSession(request),
    readSession: async (sessionId) => (await store()).readSession(sessionId),
    readWait: async (sessionId, afterId) => (await store()).readWait(sessionId, afterId),
    readEnd: async (known) => (await store()).readEnd(known),
    readRelay: async (sessionId) => (await store()).readRelay(sessionId),
    readVisitRelay: async (visitId) => (await store()).readVisitRelay(visitId),
    listEventsSince: async (vmId, afterId) => (await store()).listEventsSince(vmId, afterId),
    wishStopped: async (asker, vmId) => (await store()).wishStopped(asker, vmId),
    recordConnected: async (sessionId) => (await store()).recordConnected(sessionId),
    recordTraffic: async (traffic) => (await store()).recordTraffic(traffic),
    recordEnded: async (sessionId, end) => (await store()).recordEnded(sessionId, end),
    recordSecondLook: async (sessionId) => (await store()).recordSecondLook(sessionId),
    listSessionsToEnd: async () => (await store()).listSessionsToEnd(),
    closeOrphans: async () => (await store()).closeOrphans(),
    announceEnds: async (inMs, relayed) => (await store()).announceEnds(inMs, relayed),
  };
}
