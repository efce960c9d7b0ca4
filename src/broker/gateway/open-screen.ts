/**
 * The way to a desktop's screen: by its display door, or by its X server's own port where that has one, with nobody on the way to
 * read each picture and write it again. The door's connection is then the seat: whoever ends that ends the screen.
 */

import { AppError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { DISPLAY_DIRECT } from "../../wire/display/hello.ts";
import { PageGreeting, ViewerProof } from "../../wire/display/viewer-proof.ts";
import { type ReachDeps, reach } from "../reach.ts";
import type { ReadySession } from "../request.ts";
import { type OwnedSocket, type SocketOwner, tuneSocket } from "../socket.ts";
import { ScreenEnd, type ScreenEndOptions } from "./desktop-ends.ts";
import { openChannel } from "./open-channel.ts";

export type OpenScreenDeps = ReachDeps & { readonly log: Log };

export type OpenScreenOptions = Pick<ScreenEndOptions, "page" | "onClosed"> & {
  readonly timeoutMs: number;
  /** For its X server's answer, where that took the connection. */
  readonly proofMs: number;
  /** Called once, before the screen's first byte. */
  readonly onOpen: (screen: ScreenEnd) => void;
};

/** A desktop that keeps its ports closed but for the door's is silent: nobody waits for long for that. */
const DIRECT_MS = 2_000;

/** Throws `unavailable` when the desktop doesn't open it in time. */
export async function openScreen(
  deps: OpenScreenDeps,
  session: ReadySession,
  options: OpenScreenOptions,
): Promise<void> {
  if (session.isConsole === true)
    return openByDoor(deps, session, { ...options, argument: String(session.vmId) });
  const seat = await takeSeat(deps, session, options);
  if (seat === undefined) return;
  let screen: ScreenEnd | undefined;
  const onOpen = (opened: ScreenEnd) => {
    screen = opened;
    options.onOpen(opened);
  };
  try {
    await openSeated(deps, session, { ...options, onOpen, seat });
  } catch (error) {
    seat.socket.terminate();
    throw error;
  }
  // At once: whoever is told may have to ask others first what to do.
  seat.onGone(() => screen?.close());
}

async function openSeated(
  deps: OpenScreenDeps,
  session: ReadySession,
  { seat, ...options }: OpenScreenOptions & { readonly seat: Seat },
): Promise<void> {
  try {
    await openDirect(deps, session, { ...options, seat });
  } catch (error) {
    // Somebody else has taken over meanwhile.
    if (seat.isGone()) throw error;
    deps.log.warn("screen-not-direct", { vmId: session.vmId, error });
    // The seat stays: without it the desktop would think for a moment that the person has left.
    await openByDoor(deps, session, { ...options, argument: "", seat: seat.socket });
  }
}

/** Undefined when the door shows the screen itself. */
async function takeSeat(
  deps: OpenScreenDeps,
  session: ReadySession,
  options: OpenScreenOptions,
): Promise<Seat | undefined> {
  let seat: Seat | undefined;
  await openChannel(deps, session, {
    channel: "rfb",
    argument: DISPLAY_DIRECT.argument,
    timeoutMs: options.timeoutMs,
    own: (socket, isDirect) => {
      if (!isDirect) return opened(socket, options);
      seat = new Seat(socket);
      return seat;
    },
  });
  return seat;
}

async function openByDoor(
  deps: OpenScreenDeps,
  session: ReadySession,
  { argument, ...options }: OpenScreenOptions & { readonly argument: string; readonly seat?: OwnedSocket },
): Promise<void> {
  await openChannel(deps, session, {
    channel: "rfb",
    argument,
    timeoutMs: options.timeoutMs,
    own: (socket) => opened(socket, options),
  });
}

/** Throws when its X server doesn't let us in in time. */
async function openDirect(
  deps: OpenScreenDeps,
  session: ReadySession,
  { seat, ...options }: OpenScreenOptions & { readonly seat: Seat },
): Promise<void> {
  let proving: Proving | undefined;
  await reach(deps, session, {
    isScreen: true,
    timeoutMs: Math.min(DIRECT_MS, options.timeoutMs),
    take: (socket) => {
      tuneSocket(socket);
      proving = new Proving(socket, session.slaveKey, () =>
        opened(socket, { ...options, seat: seat.socket, isDirect: true }),
      );
      socket.data = proving;
      socket.write(ViewerProof.hello);
      return true;
    },
  });
  const { settled } = proving ?? { settled: Promise.withResolvers<void>() };
  const timer = setTimeout(() => proving?.fail("no answer in time"), options.proofMs);
  seat.onGone(() => proving?.fail("its seat is gone"));
  try {
    await settled.promise;
  } finally {
    clearTimeout(timer);
  }
}

function opened(
  socket: OwnedSocket,
  { onOpen, ...options }: OpenScreenOptions & ScreenEndOptions,
): ScreenEnd {
  const screen = new ScreenEnd(socket, options);
  onOpen(screen);
  return screen;
}

/** Owns the socket until the X server has let us in. */
class Proving implements SocketOwner {
  readonly settled = Promise.withResolvers<void>();
  readonly #socket: OwnedSocket;
  readonly #proof: ViewerProof;
  readonly #own: () => SocketOwner;

  constructor(socket: OwnedSocket, key: string, own: () => SocketOwner) {
    this.#socket = socket;
    this.#proof = new ViewerProof(key);
    this.#own = own;
  }

  onData(chunk: Uint8Array): void {
    const step = this.#proof.take(chunk);
    if (step.kind === "answer") this.#socket.write(step.bytes);
    else if (step.kind === "refused") this.fail("its X server refused");
    else if (step.kind === "in") {
      const owner = this.#own();
      this.#socket.data = owner;
      this.settled.resolve();
      owner.onData(PageGreeting.hello);
      if (step.rest.length > 0) owner.onData(step.rest);
    }
  }

  onEnd(): void {
    this.fail("its X server closed the connection");
  }

  onClose(): void {
    this.fail("its X server closed the connection");
  }

  onDrain(): void {}
  onHandshake(): void {}

  fail(reason: string): void {
    this.settled.reject(new AppError("unavailable", `The screen can't be reached: ${reason}`));
    this.#socket.terminate();
  }
}

/** The place at the display door of a screen whose bytes go another way. */
class Seat implements SocketOwner {
  readonly socket: OwnedSocket;
  readonly isGone = () => this.#isGone;
  #isGone = false;
  #onGone: (() => void) | undefined;

  constructor(socket: OwnedSocket) {
    this.socket = socket;
  }

  /** Also when it is gone already. */
  onGone(onGone: () => void): void {
    this.#onGone = onGone;
    if (this.#isGone) onGone();
  }

  onEnd(): void {
    this.#leave();
  }

  onClose(): void {
    this.#leave();
  }

  /** It was to say nothing, and nobody would have it wait. */
  onData(): void {
    this.#leave();
    this.socket.terminate();
  }

  onDrain(): void {}
  onHandshake(): void {}

  #leave(): void {
    this.#isGone = true;
    this.#onGone?.();
  }
}
