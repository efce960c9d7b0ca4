import type { Log } from "../lib/log.ts";
import type { BrokerStore } from "./store.ts";

/**
 * A store whose first deed is to end the sittings that workers which are gone left open: their sockets ended with
 * them. Tried at once, and before each request for a session until it has worked, so that nobody who comes back
 * finds the old sitting in the way.
 */
export function closeOrphansFirst(store: BrokerStore, log: Log): BrokerStore {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= store.closeOrphans().then(
      (count) => {
        if (count > 0) log.info("orphan-sessions-closed", { count });
      },
      (error: unknown) => {
        closing = undefined;
        throw error;
      },
    );
    return closing;
  };
  close().catch((error: unknown) => log.warn("orphan-sessions-kept", { error }));
  return {
    readNode: () => store.readNode(),
    listDesktops: (userId) => store.listDesktops(userId),
    readDesktop: (vmId) => store.readDesktop(vmId),
    requestSession: async (request) => {
      await close();
      return store.requestSession(request);
    },
    readSession: (sessionId) => store.readSession(sessionId),
    readWait: (sessionId, afterId) => store.readWait(sessionId, afterId),
    readEnd: (known) => store.readEnd(known),
    readRelay: (sessionId) => store.readRelay(sessionId),
    readVisitRelay: (visitId) => store.readVisitRelay(visitId),
    listEventsSince: (vmId, afterId) => store.listEventsSince(vmId, afterId),
    wishStopped: (asker, vmId) => store.wishStopped(asker, vmId),
    recordConnected: (sessionId) => store.recordConnected(sessionId),
    recordTraffic: (traffic) => store.recordTraffic(traffic),
    recordEnded: (sessionId, end) => store.recordEnded(sessionId, end),
    recordSecondLook: (sessionId) => store.recordSecondLook(sessionId),
    listSessionsToEnd: () => store.listSessionsToEnd(),
    closeOrphans: () => store.closeOrphans(),
    announceEnds: (inMs, relayed) => store.announceEnds(inMs, relayed),
  };
}
