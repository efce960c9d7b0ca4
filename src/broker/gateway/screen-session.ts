/**
 * One browser at one desktop: the WebSocket on one side, the desktop's display door on the other. Texts on the
 * WebSocket are ours (`page-message.ts`), binary is RFB, passed through untouched.
 *
 *     waiting ──► showing ──► ended            waiting: asked for, as an NX client asks; the page is told how it goes
 *        └───────────────────►
 *
 * A side that doesn't take bytes makes the other rest, so a slow browser costs one read of memory. The desktop can't
 * be made to rest by a browser that sends without end: that one is cut off.
 */

import type { UserActor } from "../../domain/access/actor.ts";
import type { VmId } from "../../domain/ids.ts";
import type { ClientParameters, GivenParameters } from "../../domain/session/client-parameters.ts";
import { describeError, isAppError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import type { DisplayOrder } from "../../wire/display/control.ts";
import { explainUnreached } from "../explain-unreached.ts";
import type { LiveSession, LiveSessions } from "../live-sessions.ts";
import type { Recorder } from "../record.ts";
import type { EndpointDeps, ReadySession } from "../request.ts";
import { requestSession } from "../request-session.ts";
import type { SessionEnd, Traffic } from "../store.ts";
import { ControlEnd, type ScreenEnd } from "./desktop-ends.ts";
import { openChannel } from "./open-channel.ts";
import { openScreen } from "./open-screen.ts";
import type { SharingOrder, ToPage } from "./page-message.ts";
import type { PageSocket } from "./page-socket.ts";
import { Sharing } from "./sharing.ts";
import type { VisitStore } from "./visit-store.ts";
import type { VisitWatch } from "./visit-watch.ts";

export type ScreenDeps = EndpointDeps & {
  readonly sessions: LiveSessions;
  readonly recorder: Recorder;
  /** Who else sees sessions; without them nobody is invited here. */
  readonly visits?: VisitStore | undefined;
  readonly visitWatch?: VisitWatch | undefined;
};

export type ScreenWish = {
  readonly actor: UserActor;
  readonly origin: string;
  readonly vmId: VmId;
  readonly client: ClientParameters;
  /** What their authenticator gives the desktop. */
  readonly parameters: GivenParameters;
  /** The screen of the machine itself, instead of a session in it. */
  readonly isConsole: boolean;
};

/** What a browser may have sent and the desktop not taken. People's hands make a few kB a second. */
const MOST_UNSENT_BYTES = 1024 * 1024;
/** How often the end of a session is looked for. */
const LOOK_MS = 250;

export class ScreenSession {
  readonly #deps: ScreenDeps;
  readonly #page: PageSocket;
  readonly #wish: ScreenWish;
  readonly #gone = new AbortController();
  #session: ReadySession | undefined;
  #screen: ScreenEnd | undefined;
  #control: ControlEnd | undefined;
  #sharing: Sharing | undefined;
  #cause: SessionEnd["cause"] | undefined;
  #isRecorded = false;
  #hasPageGone = false;
  #received = 0;

  constructor(deps: ScreenDeps, page: PageSocket, wish: ScreenWish) {
    this.#deps = deps;
    this.#page = page;
    this.#wish = wish;
  }

  /** Resolves when the screen is shown or will not be; the page has been told. Never rejects. */
  async open(): Promise<void> {
    try {
      await this.#open();
    } catch (caught) {
      const error = await explainUnreached(this.#deps.store, this.#wish.vmId, caught);
      if (!isAppError(error)) this.#deps.log.error("screen-failed", { vmId: this.#wish.vmId, error });
      const text = isAppError(error) ? describeError(error) : "Something broke on our side.";
      this.#cause ??= "connect-failed";
      this.#tell({ type: "refused", text });
      this.#finish();
    }
  }

  /** RFB from the browser. */
  onBinary(chunk: Uint8Array): void {
    this.#received += chunk.length;
    if (this.#screen !== undefined && !this.#screen.send(chunk, MOST_UNSENT_BYTES)) this.end("client-left");
  }

  onOrder(order: DisplayOrder | SharingOrder): void {
    if (order.type === "resize" || order.type === "share-clipboard" || order.type === "clipboard")
      this.#control?.give(order);
    else this.#sharing?.obey(order);
  }

  /** The browser takes bytes again. */
  onDrain(): void {
    this.#screen?.resume();
  }

  /** The WebSocket is gone. */
  onClose(): void {
    this.#hasPageGone = true;
    this.#cause ??= "client-left";
    this.#finish();
  }

  /** Ends it; `cause` goes into its record. */
  end(cause: SessionEnd["cause"]): void {
    if (this.#cause !== undefined) return;
    this.#cause = cause;
    this.#tell({ type: "ended", cause });
    this.#finish();
  }

  /**
   * The desktop has gone from under the page, which would come back at once, and begin anew what its person has just ended: it
   * is told when the database knows how it ended.
   */
  async #endWithDesktop(): Promise<void> {
    if (this.#cause !== undefined) return;
    this.#cause = "desktop-closed";
    this.#leaveDesktop();
    this.#tell({ type: "progress", text: "The desktop has closed its screen." });
    const cause = (await this.#learnEnd()) ?? this.#cause;
    this.#tell({ type: "ended", cause });
    this.#finish();
  }

  /** Undefined when nobody knows more in time, or the page has gone. */
  async #learnEnd(): Promise<string | undefined> {
    const { store, limits } = this.#deps;
    const { vmId, actor } = this.#wish;
    const slaveKey = this.#session?.slaveKey ?? "";
    const endMs = performance.now() + limits.learnEndMs;
    while (performance.now() < endMs && !this.#hasPageGone) {
      await sleep(LOOK_MS);
      try {
        const end = await store.readEnd({ vmId, userId: actor.userId, slaveKey });
        if (end?.cause !== undefined && end.cause !== this.#cause) return end.cause;
      } catch (error) {
        this.#deps.log.warn("screen-end-unknown", { vmId, error });
        return undefined;
      }
    }
    return undefined;
  }

  async #open(): Promise<void> {
    const { actor, origin, vmId, client, parameters } = this.#wish;
    const result = await requestSession(this.#deps, {
      asker: { actor, origin },
      vmId,
      client,
      access: this.#wish.isConsole ? "console" : "browser",
      parameters,
      tell: (text) => this.#tell({ type: "progress", text }),
      signal: this.#gone.signal,
    });
    if (result.kind === "refused") {
      this.#isRecorded = true;
      this.#tell({ type: "refused", text: result.reason });
      return this.#finish();
    }
    this.#session = result.session;
    await this.#show(result.session);
  }

  async #show(session: ReadySession): Promise<void> {
    const { store, sessions, limits } = this.#deps;
    if (!(await store.recordConnected(session.id))) return this.end("superseded");
    const { upgradeMs: timeoutMs } = limits;
    if (session.isConsole !== true)
      await openChannel(this.#deps, session, {
        channel: "control",
        timeoutMs,
        own: (socket) => {
          this.#control = new ControlEnd(socket, (news) => this.#tell(news));
          return this.#control;
        },
      });
    if (this.#gone.signal.aborted) return this.#finish();
    // The page must know before the first byte of RFB comes.
    this.#tell({ type: "ready" });
    await openScreen(this.#deps, session, {
      page: this.#page,
      timeoutMs,
      proofMs: limits.screenProofMs,
      onOpen: (screen) => {
        this.#screen = screen;
      },
      onClosed: () => void this.#endWithDesktop(),
    });
    if (this.#gone.signal.aborted) return this.#finish();
    sessions.add(this.#live(session));
    if (session.isConsole !== true) this.#share(session);
    // A newer client that came since the claim woke nobody: this sitting was not among the living yet.
    sessions.notify(session.vmId);
  }

  #share({ id, vmId }: ReadySession): void {
    const { visits, visitWatch, wake } = this.#deps;
    if (visits === undefined || visitWatch === undefined) return;
    const { actor, origin } = this.#wish;
    this.#sharing = new Sharing(
      { visits, visitWatch, wake },
      { id, vmId, asker: { actor, origin } },
      (message) => this.#tell(message),
    );
  }

  #live({ id, vmId }: ReadySession): LiveSession {
    const readTraffic = () => this.#readTraffic();
    return { id, vmId, end: (cause) => this.end(cause), readTraffic, recordedBytes: 0 };
  }

  #readTraffic(): Traffic {
    return { bytesToClient: this.#screen?.receivedBytes ?? 0, bytesFromClient: this.#received };
  }

  #tell(message: ToPage): void {
    this.#page.sendText(JSON.stringify(message));
  }

  /** May be called again. What was asked for and not connected yet is given up. */
  #finish(): void {
    this.#leaveDesktop();
    this.#page.close();
  }

  #leaveDesktop(): void {
    this.#gone.abort();
    this.#screen?.close();
    this.#control?.close();
    this.#sharing?.close();
    if (this.#session === undefined || this.#isRecorded) return;
    this.#isRecorded = true;
    this.#deps.sessions.remove(this.#session.id);
    const end = { cause: this.#cause ?? "client-left", ...this.#readTraffic() };
    this.#deps.recorder.ended(this.#session.id, end);
  }
}
