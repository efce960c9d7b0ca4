/** A channel of a desktop's display door (`wire/display/hello.ts`), wherever the desktop is. */

import { AppError } from "../../lib/errors.ts";
import {
  DISPLAY_ACCEPTED,
  DISPLAY_DIRECT,
  type DisplayChannel,
  formatDisplayHello,
  MOST_HELLO_BYTES,
} from "../../wire/display/hello.ts";
import { type ReachDeps, reach } from "../reach.ts";
import type { ReadySession } from "../request.ts";
import { type OwnedSocket, type SocketOwner, tuneSocket } from "../socket.ts";

export type OpenChannelOptions = {
  readonly channel: DisplayChannel;
  readonly argument?: string;
  readonly timeoutMs: number;
  /**
   * Owns the socket from the desktop's word on; called within the event, so that no byte is lost. `isDirect`: nothing comes here, as
   * was asked for.
   */
  readonly own: (socket: OwnedSocket, isDirect: boolean) => SocketOwner;
};

const LF = 10;

/** Owns the socket until the desktop has said yes. */
class Greeting implements SocketOwner {
  readonly settled = Promise.withResolvers<OwnedSocket>();
  readonly #socket: OwnedSocket;
  readonly #options: OpenChannelOptions;
  #line = "";

  constructor(socket: OwnedSocket, options: OpenChannelOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  onData(chunk: Uint8Array): void {
    const end = chunk.indexOf(LF);
    this.#line += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (this.#line.length > MOST_HELLO_BYTES) return void this.fail("the desktop talks nonsense");
    if (end === -1) return;
    const isDirect =
      this.#options.argument === DISPLAY_DIRECT.argument && this.#line === DISPLAY_DIRECT.answer;
    // A refusal is the desktop's own text, so it is not repeated.
    if (this.#line !== DISPLAY_ACCEPTED && !isDirect) return void this.fail("the desktop refused");
    const owner = this.#options.own(this.#socket, isDirect);
    this.#socket.data = owner;
    this.settled.resolve(this.#socket);
    if (end + 1 < chunk.length) owner.onData(chunk.subarray(end + 1));
  }

  onClose(): void {
    this.settled.reject(new Error("the desktop closed the connection"));
  }

  onEnd(): void {
    this.fail("the desktop closed the connection");
  }

  onDrain(): void {}
  onHandshake(): void {}

  /** What it says afterwards is nobody's. */
  fail(reason: string): void {
    this.settled.reject(new Error(reason));
    this.#socket.terminate();
  }
}

/** Throws `unavailable` when the desktop doesn't open it in time. */
export async function openChannel(
  deps: ReachDeps,
  session: ReadySession,
  options: OpenChannelOptions,
): Promise<OwnedSocket> {
  const { channel, argument = "", timeoutMs } = options;
  let greeting: Greeting | undefined;
  await reach(deps, session, {
    timeoutMs,
    take: (socket) => {
      tuneSocket(socket);
      greeting = new Greeting(socket, options);
      socket.data = greeting;
      socket.write(formatDisplayHello({ key: session.slaveKey, channel, argument }));
      return true;
    },
  });
  const { settled } = greeting ?? { settled: Promise.withResolvers<OwnedSocket>() };
  const timer = setTimeout(() => greeting?.fail("no answer in time"), timeoutMs);
  try {
    return await settled.promise;
  } catch (cause) {
    throw new AppError("unavailable", "The desktop can't be shown", { cause });
  } finally {
    clearTimeout(timer);
  }
}
