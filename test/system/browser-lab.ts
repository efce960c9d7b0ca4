/**
 * What a browser needs to see a desktop: a real container with the session of two colours, the real broker with its
 * gateway, and this test in the place of node and database.
 */

import { asId, type VmId } from "../../src/domain/ids.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createGuestChannels, type GuestChannels } from "../../src/node/guest-channel/guest-channels.ts";
import { DISPLAY_PORT } from "../../src/wire/display/hello.ts";
import { NX_PORT } from "../../src/wire/guest/messages.ts";
import { createBoxIdentities } from "../support/box-identities.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { buildDisplayRoot } from "../support/display-root.ts";
import type { TableSession } from "../support/table-broker-store.ts";
import { createTableVisitStore, type TableVisitStore } from "../support/table-visit-store.ts";
import { createTableWebStore, type TableWebStore } from "../support/table-web-store.ts";
import { createGuestLab, type GuestLab, type LabPlace } from "./guest-lab.ts";

export const ALICE = 1;

/** How many pixels of a page's canvas have the colour of the session's window. */
export const WINDOW_PIXELS = `(() => {
  const canvas = document.querySelector("canvas");
  if (!canvas) return 0;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4)
    if (Math.max(Math.abs(data[at] - 0xc0), Math.abs(data[at + 1] - 0x20), Math.abs(data[at + 2] - 0x40)) < 6) count++;
  return count;
})()`;

export type BrowserLab = {
  readonly url: string;
  readonly door: BrokerDoor;
  readonly web: TableWebStore;
  readonly visits: TableVisitStore;
  readonly desktop: GuestLab;
  readonly channels: GuestChannels;
  stop(): Promise<void>;
};

export type LabWays = {
  /** Puts the session of two colours into the archive's image. */
  readonly hasSession?: boolean;
  /** The browser's broker is another box's than the desktop's, and goes through that one's. */
  readonly isAcross?: boolean;
};

/** Everybody's password is `secret`; desktop 1 is alice's and real, desktop 2 is blocked, desktop 3 carol's. */
export async function openBrowserLab(
  place: LabPlace,
  archive?: string,
  { hasSession = archive === undefined, isAcross = false }: LabWays = {},
): Promise<BrowserLab> {
  const desktop = await createGuestLab({
    place,
    archive: archive ?? (await buildDisplayRoot({ hasOwnServer: true })),
    hasSession,
    ...(archive === undefined ? {} : { memoryMb: 2048 }),
  });
  const channels = createGuestChannels({ log: silentLog(), clock: systemClock, onEvent: () => {} });
  channels.open(desktop.vmId, { socketPath: desktop.socketPath, ownerUid: desktop.ownerUid });
  const owners = new Map([
    [1, ALICE],
    [2, ALICE],
    [3, 2],
  ]);
  const screenOf = (vmId: number) => {
    const live = store.sessions.find((one) => one.vmId === vmId && !one.isEnded && !one.isSuperseded);
    if (live?.address === undefined || live.port === undefined) return undefined;
    return { ...live, address: live.address, port: live.port, elsewhere: live.elsewhere };
  };
  const web = createTableWebStore((vmId) => owners.get(vmId), screenOf);
  const visits = createTableVisitStore(screenOf);
  const far = isAcross ? await openFarBox() : undefined;
  const door = await openBrokerDoor({ web, visits, ...far?.near });
  const { store } = door;
  for (const [id, owner] of owners) store.addDesktop(id, owner);
  const blocked = store.desktops.get(asId<VmId>(2));
  if (blocked !== undefined) blocked.isBlocked = true;
  let isStarted = false;
  store.onRequest = (session) => void playNode(session);

  async function playNode(session: TableSession): Promise<void> {
    const { vmId } = session;
    // The one before this is cut off, as its broker would.
    door.wake(vmId);
    const view = store.desktops.get(vmId);
    if (!isStarted) {
      isStarted = true;
      store.append(vmId, "start-queued", "Waits for its turn: place 1 of 1.");
      await desktop.start();
    }
    if (view !== undefined) view.state = "running";
    await waitFor(() => channels.read(desktop.vmId)?.isAttached === true, { timeoutMs: 30_000, everyMs: 10 });
    store.append(vmId, "session-preparing");
    try {
      await channels.prepareSession(desktop.vmId, {
        session: session.id,
        account: { login: "alice", uid: 2001, fullName: "Alice" },
        client: session.client,
        accept: `${place.network}.1`,
        slaveKey: session.slaveKey,
        access: session.access === "nx" ? "nx" : "browser",
      });
      session.state = "listening";
      session.address = `${place.network}.10`;
      session.port = session.access === "browser" ? DISPLAY_PORT : NX_PORT;
      far?.tell(session);
      store.append(vmId, "session-listening");
    } catch (error) {
      session.state = "failed";
      session.faultText = String(error);
    }
    door.wake(vmId);
  }

  return {
    url: `https://127.0.0.1:${door.port}`,
    door,
    web,
    visits,
    desktop,
    channels,
    async stop() {
      await door.close();
      await far?.door.close();
      channels.closeAll();
      await desktop.stop();
    },
  };
}

/** The broker of the box that has the desktop. Both see one database, so what the near one is told of a session it knows. */
async function openFarBox() {
  const [one, two] = await createBoxIdentities("near", "far");
  if (one === undefined || two === undefined) throw new Error("no certificates");
  const options = (identity: typeof one) => ({
    identity,
    listen: { address: "127.0.0.1", port: 0, tlsKey: identity.key, tlsCertificate: identity.certificate },
  });
  const door = await openBrokerDoor(options(two));
  const address = `127.0.0.1:${door.port}`;
  door.store.address = address;
  return {
    door,
    near: options(one),
    tell(session: TableSession) {
      session.elsewhere = { node: "far", address };
      door.store.sessions.push(session);
    },
  };
}
