/**
 * Somebody at a screen that is not theirs: an administrator at the console of a machine, or whoever was let in at
 * somebody's session. The screen's bytes pass as at one's own desktop; who may only look has keys and pointer left out
 * here, whatever their page does. Nothing of the session depends on it: it goes on when this ends.
 *
 *     asking ──► watching ──► over      asking: until the session's owner says yes
 *        └────────────────────►
 */

import type { VisitEnd } from "../../domain/visit/decide-visit-end.ts";
import { describeError, invariant, isAppError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import type { BegunVisit } from "../../service/visit/begin.ts";
import { ViewOnly } from "../../wire/display/view-only.ts";
import type { EndpointDeps, ReadySession } from "../request.ts";
import type { ScreenEnd } from "./desktop-ends.ts";
import { openScreen } from "./open-screen.ts";
import type { PageSocket, PageSocketOwner } from "./page-socket.ts";
import type { AdmittedVisit } from "./visit-socket.ts";
import type { VisitStore, VisitView } from "./visit-store.ts";

export type VisitDeps = Pick<EndpointDeps, "limits" | "log" | "identity" | "consoleSocket"> & {
  readonly visits: VisitStore;
  /** Has the session's owner's page look, also where another worker carries it. */
  readonly wake: EndpointDeps["wake"];
};

export type VisitToPage =
  | { readonly type: "progress"; readonly text: string }
  /** RFB follows, of the desktop with that name. */
  | {
      readonly type: "ready";
      readonly kind: VisitView["kind"];
      readonly name: string;
      readonly mayControl: boolean;
    }
  | { readonly type: "refused"; readonly text: string }
  | { readonly type: "ended"; readonly cause: VisitEnd };

/** A person may be away from their desk, and nobody stands before a closed door for ever. */
const CONSENT_MS = 60_000;
const LOOK_MS = 1_000;
const MOST_UNSENT_BYTES = 256 * 1024;

export class VisitScreen implements PageSocketOwner {
  readonly #deps: VisitDeps;
  readonly #page: PageSocket;
  readonly #visit: BegunVisit;
  readonly #gone = new AbortController();
  #screen: ScreenEnd | undefined;
  #viewOnly: ViewOnly | undefined;
  #isOver = false;

  constructor(deps: VisitDeps, page: PageSocket, visit: BegunVisit) {
    this.#deps = deps;
    this.#page = page;
    this.#visit = visit;
  }

  /** Until the visit is over; the page has been told. Never rejects. */
  async open(): Promise<void> {
    try {
      const visit = await this.#admission();
      if (visit === undefined) return;
      await this.#show(visit);
      await this.#watchEnd();
    } catch (error) {
      if (!isAppError(error)) this.#deps.log.error("visit-failed", { visitId: this.#visit.visitId, error });
      this.#tell({
        type: "refused",
        text: isAppError(error) ? describeError(error) : "Something broke on our side.",
      });
      this.#finish("desktop-closed");
    }
  }

  onBinary(chunk: Uint8Array): void {
    if (this.#screen === undefined) return;
    const allowed = this.#viewOnly === undefined ? chunk : this.#viewOnly.filter(chunk);
    if (allowed === undefined || !this.#screen.send(allowed, MOST_UNSENT_BYTES)) this.#finish("left");
  }

  onText(): void {}

  onDrain(): void {
    this.#screen?.resume();
  }

  onClose(): void {
    this.#finish("left");
  }

  /** Undefined when there is nothing to show; the page has been told why. */
  async #admission(): Promise<VisitView | undefined> {
    const deadlineMs = performance.now() + CONSENT_MS;
    for (let isTold = false; !this.#gone.signal.aborted; ) {
      const visit = await this.#read();
      if (visit === undefined) return undefined;
      if (visit.isAdmitted) return visit;
      if (!isTold) {
        this.#deps.wake(visit.vmId);
        this.#tell({ type: "progress", text: "The person at the desktop is asked." });
        isTold = true;
      }
      if (performance.now() > deadlineMs) {
        this.#tell({ type: "refused", text: "The person at the desktop gave no answer." });
        this.#finish("not-answered");
        return undefined;
      }
      await sleep(LOOK_MS, this.#gone.signal);
    }
    return undefined;
  }

  async #show(visit: VisitView): Promise<void> {
    const { screen, mayControl, kind, name } = visit;
    if (!mayControl) this.#viewOnly = new ViewOnly();
    this.#tell({ type: "ready", kind, name, mayControl });
    await openScreen(this.#deps, this.#keyed(screen), {
      page: this.#patient,
      timeoutMs: this.#deps.limits.upgradeMs,
      proofMs: this.#deps.limits.screenProofMs,
      onOpen: (opened) => {
        this.#screen = opened;
      },
      onClosed: () => void this.#screenClosed(),
    });
    if (this.#isOver) this.#screen?.close();
    this.#deps.wake(visit.vmId);
  }

  #keyed(screen: ReadySession): ReadySession {
    const { consoleKey } = this.#visit;
    return consoleKey === undefined ? screen : { ...screen, slaveKey: consoleKey };
  }

  /** The node's door closes a console that is to be seen no more, before we have looked why. */
  async #screenClosed(): Promise<void> {
    try {
      if (!this.#isOver) await this.#read();
    } catch (error) {
      this.#deps.log.debug("visit-not-looked-at", { visitId: this.#visit.visitId, error });
    }
    if (!this.#isOver) this.#close("desktop-closed");
  }

  async #watchEnd(): Promise<void> {
    while (!this.#gone.signal.aborted) {
      await sleep(LOOK_MS, this.#gone.signal);
      if (this.#gone.signal.aborted) return;
      try {
        await this.#read();
      } catch (error) {
        // What was let in stays while nobody can be asked; the owner's own session does too.
        this.#deps.log.debug("visit-not-looked-at", { visitId: this.#visit.visitId, error });
      }
    }
  }

  async #read(): Promise<VisitView | undefined> {
    const visit = await this.#deps.visits.read(this.#visit.visitId);
    if (visit !== undefined && visit.end === undefined) return visit;
    this.#close(visit?.end ?? "session-over");
    return undefined;
  }

  #close(cause: VisitEnd): void {
    this.#tell({ type: "ended", cause });
    this.#finish(cause);
  }

  /**
   * Never makes the desktop rest: x11vnc, in older images, would wait for this viewer, and its owner with it. Either server waits
   * for a viewer's word between pictures, so few wait here; who lets more pile up than the socket keeps is cut off.
   */
  get #patient(): Pick<PageSocket, "sendBinary"> {
    return {
      sendBinary: (chunk) => {
        if (this.#page.sendBinary(chunk) === 0 && chunk.length > 0) this.#close("too-slow");
        return chunk.length;
      },
    };
  }

  #tell(message: VisitToPage): void {
    if (!this.#isOver) this.#page.sendText(JSON.stringify(message));
  }

  /** May be called again. */
  #finish(cause: VisitEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gone.abort();
    this.#screen?.close();
    this.#page.close();
    this.#deps.visits.end(this.#visit.visitId, cause).catch((error: unknown) => {
      // It ends by itself after a day, and with the session that it watches.
      this.#deps.log.warn("visit-end-not-recorded", { visitId: this.#visit.visitId, error });
    });
  }
}

export function beginVisitScreen(
  deps: Omit<VisitDeps, "visits"> & { readonly visits?: VisitStore | undefined },
  page: PageSocket,
  { visitId, consoleKey }: AdmittedVisit,
): PageSocketOwner {
  const { visits } = deps;
  invariant(visits !== undefined, "a visit was admitted by the store of visits");
  const screen = new VisitScreen({ ...deps, visits }, page, { visitId, consoleKey });
  void screen.open();
  return screen;
}
