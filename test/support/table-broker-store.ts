/**
 * The broker's store as tables in memory, with a hand on what the node would report. For tests of the
 * broker's door and for benchmarks of its pipe; what PostgreSQL does with the same calls is tested apart.
 */

import type {
  BrokerStore,
  DesktopView,
  KnownSession,
  RelayView,
  SessionEnd,
  SessionTraffic,
  SessionView,
  Traffic,
  TrailEvent,
} from "../../src/broker/store.ts";
import type { SessionAccess } from "../../src/db/schema/sessions.ts";
import { asId, type SessionId, type UserId, type VmId } from "../../src/domain/ids.ts";
import type { ClientParameters, GivenParameters } from "../../src/domain/session/client-parameters.ts";
import type { VmEventCode } from "../../src/domain/vm/event.ts";
import { AppError } from "../../src/lib/errors.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type TableSession = Mutable<SessionView> & {
  id: SessionId;
  vmId: VmId;
  client: ClientParameters;
  access: SessionAccess;
  parameters: GivenParameters;
  slaveKey: string;
  isConnected: boolean;
  traffic: Traffic | undefined;
  end: SessionEnd | undefined;
  /** As it was announced. */
  endsInMs?: number;
};

export class TableBrokerStore implements BrokerStore {
  node: { isBlocked: boolean; state: string; isDraining?: boolean } | undefined = {
    isBlocked: false,
    state: "running",
  };
  /** Under which the node registered. */
  address: string | undefined;
  /** While true every call fails as with a database that is away. */
  isAway = false;
  readonly desktops = new Map<VmId, Mutable<DesktopView>>();
  /** Sittings whose end was looked at again. */
  readonly lookedAgain: SessionId[] = [];
  /** Desktops that no node has. */
  readonly unplaced = new Set<VmId>();
  readonly sessions: TableSession[] = [];
  /** Each call of `recordTraffic`. */
  readonly trafficWrites: (readonly SessionTraffic[])[] = [];
  readonly events: (TrailEvent & { vmId: VmId })[] = [];
  /** Called after a session was requested: the node of the test. */
  onRequest: (session: TableSession) => void = () => {};
  onStop: (vmId: VmId) => void = () => {};

  addDesktop(id: number, userId: number, more: Partial<DesktopView> = {}): void {
    const vmId = asId<VmId>(id);
    this.desktops.set(vmId, {
      id: vmId,
      userId: asId<UserId>(userId),
      name: `vm${id}`,
      isBlocked: false,
      state: "stopped",
      wish: "stopped",
      isApplication: false,
      ...more,
    });
  }

  #lastId = 0;

  append(vmId: VmId, code: VmEventCode, text: string = code): number {
    const id = ++this.#lastId;
    this.events.push({ id, vmId, code, text });
    return id;
  }

  async readNode() {
    this.#refuseWhileAway();
    return this.node;
  }

  async listDesktops(userId: UserId) {
    this.#refuseWhileAway();
    return [...this.desktops.values()].filter((desktop) => desktop.userId === userId);
  }

  async readDesktop(vmId: VmId) {
    this.#refuseWhileAway();
    return this.desktops.get(vmId);
  }

  async requestSession(request: Parameters<BrokerStore["requestSession"]>[0]) {
    this.#refuseWhileAway();
    const { vmId, client, access = "nx", parameters = {}, slaveKey } = request;
    const desktop = this.desktops.get(vmId);
    if (desktop === undefined) throw new AppError("not-found", "there is no such desktop");
    let hasTakenOver = false;
    for (const older of this.sessions)
      if (older.vmId === vmId && !older.isEnded && !older.isSuperseded) {
        older.isSuperseded = true;
        hasTakenOver = true;
        this.append(vmId, "session-superseded");
      }
    desktop.wish = "running";
    const session: TableSession = {
      id: asId<SessionId>(++this.#lastId),
      vmId,
      client,
      access,
      parameters,
      slaveKey,
      state: "requested",
      isSuperseded: false,
      isEnded: false,
      isEndWished: false,
      address: undefined,
      port: undefined,
      faultText: undefined,
      isConnected: false,
      traffic: undefined,
      end: undefined,
    };
    this.sessions.push(session);
    const eventId = this.append(vmId, "session-requested");
    this.onRequest(session);
    return { sessionId: session.id, eventId, hasTakenOver, isPlaced: !this.unplaced.has(vmId) };
  }

  async readEnd({ vmId, userId, slaveKey }: KnownSession) {
    this.#refuseWhileAway();
    const session = this.sessions.findLast((one) => one.vmId === vmId && one.slaveKey === slaveKey);
    if (session === undefined || this.desktops.get(vmId)?.userId !== userId) return undefined;
    const { isSuperseded, isEndWished, end } = session;
    const isLast = this.sessions.findLast((one) => one.vmId === vmId) === session;
    if (isSuperseded || !isLast) return { cause: "superseded" };
    return { cause: end?.cause ?? (isEndWished ? "ended-by-administrator" : undefined) };
  }

  async readSession(sessionId: SessionId) {
    this.#refuseWhileAway();
    const session = this.#find(sessionId);
    if (session === undefined) return undefined;
    const { state, isSuperseded, isEnded, isEndWished, address, port, faultText } = session;
    const { elsewhere } = session;
    return { state, isSuperseded, isEnded, isEndWished, address, port, faultText, elsewhere };
  }

  async readWait(sessionId: SessionId, afterEventId: number) {
    const vmId = this.#find(sessionId)?.vmId;
    return {
      session: await this.readSession(sessionId),
      desktop: vmId === undefined ? undefined : await this.readDesktop(vmId),
      events: vmId === undefined ? [] : await this.listEventsSince(vmId, afterEventId),
    };
  }

  async readRelay(sessionId: SessionId): Promise<RelayView> {
    this.#refuseWhileAway();
    const session = this.#find(sessionId);
    const { vmId, address = "", port = 0 } = session ?? {};
    const isHere = session?.isConnected === true && !session.isEnded && session.state === "listening";
    return {
      address: this.address,
      desktop: isHere && vmId !== undefined ? { vmId, address, port } : undefined,
    };
  }

  async readVisitRelay(): Promise<RelayView> {
    this.#refuseWhileAway();
    return { address: this.address, desktop: undefined };
  }

  async listEventsSince(vmId: VmId, afterId: number) {
    this.#refuseWhileAway();
    return this.events.filter((event) => event.vmId === vmId && event.id > afterId);
  }

  async wishStopped(_asker: unknown, vmId: VmId) {
    this.#refuseWhileAway();
    const desktop = this.desktops.get(vmId);
    if (desktop !== undefined) desktop.wish = "stopped";
    this.onStop(vmId);
  }

  async recordConnected(sessionId: SessionId) {
    this.#refuseWhileAway();
    const session = this.#find(sessionId);
    if (session === undefined || session.isSuperseded || session.isEnded) return false;
    session.isConnected = true;
    return true;
  }

  async recordTraffic(traffic: readonly SessionTraffic[]) {
    this.#refuseWhileAway();
    this.trafficWrites.push(traffic);
    for (const { sessionId, ...counted } of traffic) {
      const session = this.#find(sessionId);
      if (session !== undefined && !session.isEnded) session.traffic = counted;
    }
  }

  async recordEnded(sessionId: SessionId, end: SessionEnd) {
    this.#refuseWhileAway();
    const session = this.#find(sessionId);
    if (session === undefined || session.isEnded) return;
    session.isEnded = true;
    session.end = end;
  }

  async recordSecondLook(sessionId: SessionId) {
    this.#refuseWhileAway();
    this.lookedAgain.push(sessionId);
  }

  async listSessionsToEnd() {
    this.#refuseWhileAway();
    return this.sessions
      .filter((session) => !session.isEnded && (session.isSuperseded || session.isEndWished))
      .map((session) => ({
        id: session.id,
        cause: session.isSuperseded ? "superseded" : "ended-by-administrator",
      }));
  }

  async closeOrphans() {
    this.#refuseWhileAway();
    const orphans = this.sessions.filter((session) => !session.isEnded);
    for (const session of orphans) session.isEnded = true;
    return orphans.length;
  }

  async announceEnds(inMs: number, relayed: readonly SessionId[]) {
    this.#refuseWhileAway();
    for (const session of this.sessions) {
      const isCarried = session.elsewhere === undefined || relayed.includes(session.id);
      if (!session.isEnded && isCarried) session.endsInMs = Math.min(inMs, session.endsInMs ?? inMs);
    }
  }

  #find(sessionId: SessionId): TableSession | undefined {
    return this.sessions.find((session) => session.id === sessionId);
  }

  #refuseWhileAway(): void {
    if (this.isAway) throw new AppError("database-away", "The database does not answer");
  }
}
