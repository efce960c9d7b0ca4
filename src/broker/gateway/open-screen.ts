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
  try {
    await openDirect(deps, session, { ...options, seat: seat.socket });
    seat.onGone(options.onClosed);
  } catch (error) {
    deps.log.warn("screen-not-direct", { vmId: session.vmId, error });
    seat.socket.terminate();
    await openByDoor(deps, session, { ...options, argument: "" });
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
  { argument, ...options }: OpenScreenOptions & { readonly argument: string },
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
  { seat, ...options }: OpenScreenOptions & { readonly seat: OwnedSocket },
): Promise<void> {
  const timeoutMs = Math.min(DIRECT_MS, options.timeoutMs);
  let proving: Proving | undefined;
  await reach(deps, session, {
    isScreen: true,
    timeoutMs,
    take: (socket) => {
      tuneSocket(socket);
      proving = new Proving(socket, session.slaveKey, () => opened(socket, { ...options, seat }));
      socket.data = proving;
      socket.write(ViewerProof.hello);
      return true;
    },
  });
  const { settled } = proving ?? { settled: Promise.withResolvers<void>() };
  const timer = setTimeout(() => proving?.fail("no answer in time"), timeoutMs);
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

  onData(): void {}
  onDrain(): void {}
  onHandshake(): void {}

  #leave(): void {
    this.#isGone = true;
    this.#onGone?.();
  }
}
