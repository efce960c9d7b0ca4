/**
 * The session on Xvnc: browsers are viewers of its own, and an NX client sees it by a shadow. Xvnc needs nobody at it, so it
 * knows but two states beside start and end; the rest are the shadow's.
 *
 *     browser ── broker ──► Xvnc's port ──► Xvnc :100 ◄── the person's programs
 *     NX client ──► port 4100 ──► nxagent -shadow, :101 ──────┘
 */

import type { XState } from "../../domain/session/x-state.ts";
import { fitScreen, parseScreenSize } from "../../wire/display/control.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";
import { KeyLifter } from "../display/let-go.ts";
import { writeScreenPassword } from "../display/screen-password.ts";
import type { ScreenServer } from "../display/screen-server.ts";
import { ShadowClipboard } from "../display/shadow-clipboard.ts";
import { closePlace, isListening, placeOf } from "../display/socket-place.ts";
import { tapShift } from "../display/tap-shift.ts";
import type { SessionDisplay } from "./guest-session.ts";
import { type LaunchInput, SHADOW_DISPLAY } from "./launch.ts";
import { NxShadow } from "./nx-shadow.ts";
import { writeOptions } from "./options-line.ts";
import { DONE, fail, type OrderOutcome } from "./order.ts";
import type { SessionRecord } from "./record.ts";
import type { Coming, ServedSession } from "./served-session.ts";
import type { SessionLimits } from "./session-limits.ts";
import { awaitEnd, endSession, MOST_ROUNDS, untilAborted } from "./settle.ts";
import { XSession, type XSessionDeps, XVNC } from "./x-session.ts";

const STOPPED = "the session was asked to stop meanwhile";
const DISPLAY_SOCKET = `/tmp/.X11-unix/X${NX_DISPLAY}`;

export type VncSessionDeps = {
  readonly server: XSessionDeps;
  readonly shadow: XSessionDeps;
  readonly optionsPath: string;
  readonly passwordPath: string;
  readonly limits: SessionLimits;
  readonly display: SessionDisplay;
  readonly onAssign: (session: number) => void;
};

export class VncSession implements ServedSession {
  readonly #deps: VncSessionDeps;
  readonly #x: XSession;
  readonly #shadow: NxShadow;
  readonly #clipboard: ShadowClipboard;
  readonly #keys: KeyLifter;
  #user: LaunchInput | undefined;
  /** How often it was said who may come to Xvnc; a key may be said again. */
  #words = 0;

  constructor(deps: VncSessionDeps) {
    this.#deps = deps;
    this.#x = new XSession({ ...deps.server, server: XVNC });
    this.#keys = new KeyLifter(DISPLAY_SOCKET, deps.server.log);
    const onChange = () => {
      this.#clipboard.follow(this.#shadow.state === "connected" ? this.#whose() : undefined);
      // What its client held down would repeat until somebody comes.
      if (this.#shadow.state === "none" && this.#x.state === "suspended") void this.#keys.lift();
      deps.shadow.onChange();
    };
    this.#shadow = new NxShadow({ ...deps.shadow, onChange }, deps.limits);
    const { log } = deps.shadow;
    this.#clipboard = new ShadowClipboard({
      programs: deps.display.programs,
      display: `:${SHADOW_DISPLAY}`,
      log,
    });
  }

  get state(): XState {
    if (this.#x.state !== "suspended") return this.#x.state;
    const { state } = this.#shadow;
    // Without a view there is the session still.
    return state === "none" || state === "stopping" ? "suspended" : state;
  }

  get record(): SessionRecord | undefined {
    return this.#x.record;
  }

  recover(): void {
    this.#x.recover();
    // The agent before this one let somebody in, and its door is gone.
    const user = this.#whose();
    if (user !== undefined) this.#shutOut(user);
    this.#shadow.recover();
    // One that was left beside a server that is gone: nobody would look at it again.
    this.observe();
  }

  observe(): void {
    this.#x.observe();
    this.#shadow.observe();
    if (this.#x.state === "none" && this.#shadow.state !== "none")
      void this.#shadow.end(new AbortController().signal);
  }

  close(): void {
    this.#clipboard.follow(undefined);
    this.#x.close();
    this.#shadow.close();
  }

  async prepare(coming: Coming, signal: AbortSignal): Promise<OrderOutcome> {
    this.#user = coming.user;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      if (signal.aborted) return fail("session-ended", STOPPED);
      this.#x.observe();
      const problem = await this.#step(coming, signal);
      if (problem !== undefined) return problem;
      if (this.#x.state !== "suspended") continue;
      this.#assign(coming);
      return coming.access === "nx" ? this.#showByNx(coming, signal) : this.#showByBrowser(coming, signal);
    }
    return fail("session-start-failed", `Xvnc does not settle: ${this.#x.describeEnd()}`);
  }

  /** One step towards a server that is up. */
  async #step({ order, user, size }: Coming, signal: AbortSignal): Promise<OrderOutcome | undefined> {
    const { limits } = this.#deps;
    switch (this.#x.state) {
      case "none":
        this.#deps.onAssign(order.session);
        this.#x.start({ ...user, size }, order.session);
        return this.#awaitUp(signal);
      case "starting":
        return this.#awaitUp(signal);
      case "stopping":
        return (await awaitEnd({ x: this.#x, limits }, signal))
          ? undefined
          : fail("session-stop-timeout", "the session before would not end");
      default:
        return undefined;
    }
  }

  async #awaitUp(signal: AbortSignal): Promise<OrderOutcome | undefined> {
    const { limits } = this.#deps;
    const isSettled = await this.#x.waitUntil((state) => state !== "starting", limits.ownStartMs, signal);
    if (this.#x.state === "suspended" || signal.aborted) return undefined;
    const end = this.#x.describeEnd();
    if (isSettled) return fail("session-start-failed", `Xvnc ended at its start: ${end}`);
    await endSession({ x: this.#x, limits }, signal);
    return fail("session-start-timeout", `Xvnc was not ready after ${limits.ownStartMs / 1000} s: ${end}`);
  }

  async #showByBrowser({ order, user, size }: Coming, signal: AbortSignal): Promise<OrderOutcome> {
    const server = this.#openServer(user, order.slaveKey);
    if (typeof server === "string") return fail("session-start-failed", server);
    if (!(await this.#shadow.end(signal)))
      return fail("session-suspend-timeout", "what showed the session to an NX client would not end");
    // Of a server that hangs, each of these takes seconds.
    await untilAborted(
      this.#keys.lift().then(() => this.#tapShift(server)),
      signal,
    );
    if (signal.aborted) return fail("session-ended", STOPPED);
    const { accept, slaveKey: key, client } = order;
    const problem = await this.#deps.display.screen.show({ user, size, accept, key, client, server });
    return problem === undefined ? DONE : fail("session-start-failed", problem);
  }

  async #showByNx({ order, user, options }: Coming, signal: AbortSignal): Promise<OrderOutcome> {
    const { screen, programs } = this.#deps.display;
    screen.hide();
    this.#shutOut(user);
    try {
      // A shadow reads the keyboard once, and blurs a screen that is not its client's size.
      const size = parseScreenSize(order.client.geometry);
      const [hasKeyboard, fits] = await Promise.all([
        programs.setKeyboard(user, order.client.keyboard),
        size === undefined || programs.resize(user, fitScreen(size)),
      ]);
      if (!hasKeyboard || !fits) this.#deps.shadow.log.warn("shadow-not-fitted", { hasKeyboard, fits });
    } catch (error) {
      // The person sees their windows, with another keyboard or blurred.
      this.#deps.shadow.log.warn("shadow-not-fitted", { error });
    }
    if (signal.aborted) return fail("session-ended", STOPPED);
    await this.#keys.lift();
    writeOptions(this.#deps.optionsPath, options);
    return this.#shadow.prepare(user, order.session, signal);
  }

  async #tapShift({ place, key }: ScreenServer): Promise<void> {
    try {
      if ("unix" in place && (await tapShift(place.unix, key))) return;
    } catch {
      // Said below; the first letter that the layout lacks may be another one.
    }
    this.#deps.server.log.warn("display-keyboard-not-woken");
  }

  /** Nobody new comes to Xvnc by a key of before. */
  #shutOut(user: LaunchInput): void {
    try {
      this.#letIn(user);
    } catch (error) {
      // Whoever comes by browser next is told why they can't.
      this.#deps.server.log.warn("display-password-not-written", { error });
    }
  }

  /** Who knows that key may come to Xvnc from now on; without one, nobody new. False where it asks for none. */
  #letIn({ gid }: LaunchInput, key?: string): boolean {
    const { record } = this.#x;
    if (record?.asksProof !== true) return false;
    this.#words++;
    writeScreenPassword(this.#deps.passwordPath, { uid: record.uid, gid, ...(key !== undefined && { key }) });
    return true;
  }

  /** A text says why nobody can come to it: its socket was tampered with before it was closed to all but root, for one. */
  #openServer(user: LaunchInput, key: string): ScreenServer | string {
    const { record } = this.#x;
    const socket = record?.socket;
    if (record === undefined || socket === undefined || !closePlace(placeOf(socket), record.uid))
      return "the socket of Xvnc is not what it has to be";
    try {
      return this.#serverOf(user, socket, this.#letIn(user, key) ? key : undefined);
    } catch (error) {
      this.#deps.server.log.error("display-password-not-written", { error });
      return "the password of the screen can't be written inside the desktop: its folder of the agent may be full";
    }
  }

  #serverOf(user: LaunchInput, socket: string, key: string | undefined): ScreenServer {
    const words = this.#words;
    return {
      uid: user.account.uid,
      place: { unix: socket },
      ...(key !== undefined && { key }),
      isUp: () => this.#x.record?.socket === socket && isListening(socket),
      // It does so by itself when a viewer leaves.
      releaseKeys: async () => {},
      // It is the session, and ends with it alone.
      end: () => {
        if (this.#words === words) this.#shutOut(user);
      },
    };
  }

  #assign({ order: { session }, user }: Coming): void {
    if (this.#x.record?.session === session) return;
    this.#deps.onAssign(session);
    try {
      this.#x.assign(session);
    } catch (error) {
      // A full disk, for one. Who was let in for the session before is not to come in beside this one.
      this.#shutOut(user);
      throw error;
    }
  }

  /** Whoever came last; of a session that an agent before this one prepared, as far as its record tells. */
  #whose(): LaunchInput | undefined {
    if (this.#x.record === undefined) return undefined;
    if (this.#user?.account.uid === this.#x.record.uid) return this.#user;
    const { login, uid } = this.#x.record;
    return { account: { login, uid, fullName: "" }, gid: uid, home: `/home/${login}`, shell: "/bin/sh" };
  }

  async suspend(signal: AbortSignal): Promise<OrderOutcome> {
    if (await this.#shadow.end(signal)) return DONE;
    return fail("session-suspend-timeout", "what shows the session to an NX client would not end");
  }

  async end(signal: AbortSignal): Promise<boolean> {
    const { limits } = this.#deps;
    // At once: the node's patience is for one grace.
    const isGone = [this.#shadow.end(signal), endSession({ x: this.#x, limits }, signal)];
    return (await Promise.all(isGone)).every(Boolean);
  }
}
