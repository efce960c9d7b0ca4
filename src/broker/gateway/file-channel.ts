/** A channel that carries a file: its report, and its bytes at the slower side's pace. */

import { AppError } from "../../lib/errors.ts";
import {
  formatTransferWish,
  MOST_REPORT_BYTES,
  parseTransferReport,
  type TransferReport,
} from "../../wire/display/transfer.ts";
import type { ReachDeps } from "../reach.ts";
import type { ReadySession } from "../request.ts";
import type { OwnedSocket, SocketOwner } from "../socket.ts";
import { openChannel } from "./open-channel.ts";

export type FileWish = {
  readonly channel: "upload" | "download";
  readonly wish: { readonly name?: string; readonly bytes?: number };
};

type GoodReport = Extract<TransferReport, { readonly isGood: true }>;

const OPEN_MS = 5_000;
/** The desktop writes the last bytes to its disk. */
const REPORT_MS = 60_000;
/** No byte either way for so long: it is given up. */
const SILENT_MS = 60_000;
const LF = 10;

export async function openFileChannel(
  deps: ReachDeps,
  session: ReadySession,
  { channel, wish }: FileWish,
): Promise<FileChannel> {
  let opened: FileChannel | undefined;
  await openChannel(deps, session, {
    channel,
    argument: formatTransferWish(wish),
    timeoutMs: OPEN_MS,
    own: (socket) => {
      opened = new FileChannel(socket);
      return opened;
    },
  });
  if (opened === undefined) throw new AppError("unavailable", "The desktop can't be reached");
  return opened;
}

export class FileChannel implements SocketOwner {
  readonly #socket: OwnedSocket;
  readonly #report = Promise.withResolvers<GoodReport>();
  #line = "";
  #hasReport = false;
  #isClosed = false;
  #room = Promise.withResolvers<void>();
  #sink: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Of a file, that came with its report. */
  #early: Uint8Array[] = [];
  #left = 0;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: OwnedSocket) {
    this.#socket = socket;
    // Whoever gave up before asks no more.
    this.#report.promise.catch(() => {});
    this.#hearOn();
  }

  /** What the desktop says; throws `guest-failed` with its reason, `unavailable` when it says nothing. */
  async report(): Promise<GoodReport> {
    const timer = setTimeout(() => this.#fail("it does not answer"), REPORT_MS);
    try {
      return await this.#report.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when there is room for more. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let left = bytes; left.length > 0; ) {
      if (this.#isClosed) throw new AppError("unavailable", "The desktop took no more of the file");
      this.#room = Promise.withResolvers();
      left = left.subarray(Math.max(0, this.#socket.write(left)));
      this.#hearOn();
      if (left.length > 0) await this.#room.promise;
    }
  }

  /** The file's bytes, after its report. Ends with an error where fewer come. */
  readable(bytes: number): ReadableStream<Uint8Array> {
    this.#left = bytes;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#sink = controller;
          for (const chunk of this.#early.splice(0)) this.#pass(chunk);
          this.#finishWhenAll();
        },
        pull: () => void this.#socket.resume(),
        cancel: () => this.close(),
      },
      { highWaterMark: 4 },
    );
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#socket.terminate();
  }

  onData(chunk: Uint8Array): void {
    this.#hearOn();
    if (this.#hasReport) return void (this.#sink === undefined ? this.#keep(chunk) : this.#pass(chunk));
    const end = chunk.indexOf(LF);
    this.#line += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (this.#line.length > MOST_REPORT_BYTES) return void this.#fail("it talks nonsense");
    if (end === -1) return;
    this.#hasReport = true;
    const report = parseTransferReport(Buffer.from(this.#line, "latin1").toString("utf8"));
    if (report === undefined) return void this.#fail("it talks nonsense");
    if (end + 1 < chunk.length) this.#keep(chunk.subarray(end + 1));
    if (report.isGood) this.#report.resolve(report);
    else this.#report.reject(new AppError("guest-failed", report.text));
  }

  onDrain(): void {
    this.#room.resolve();
  }

  onEnd(): void {
    this.#socket.end();
  }

  onClose(): void {
    this.#isClosed = true;
    clearTimeout(this.#silence);
    this.#room.resolve();
    this.#fail("it closed the connection");
    if (this.#sink !== undefined && this.#left > 0)
      this.#sink.error(new Error("the desktop stopped in between"));
    this.#sink = undefined;
  }

  onHandshake(): void {}

  /** Nobody reads yet, so the desktop waits. */
  #keep(chunk: Uint8Array): void {
    this.#early.push(chunk);
    this.#socket.pause();
  }

  #pass(chunk: Uint8Array): void {
    const mine = chunk.subarray(0, this.#left);
    this.#left -= mine.length;
    if (mine.length > 0) this.#sink?.enqueue(mine);
    if ((this.#sink?.desiredSize ?? 1) <= 0) this.#socket.pause();
    this.#finishWhenAll();
  }

  #finishWhenAll(): void {
    if (this.#left > 0 || this.#sink === undefined) return;
    const sink = this.#sink;
    this.#sink = undefined;
    sink.close();
    this.close();
  }

  #fail(reason: string): void {
    this.#report.reject(
      new AppError("unavailable", "The desktop did not answer for the file", { cause: new Error(reason) }),
    );
  }

  #hearOn(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket.terminate(), SILENT_MS);
  }
}
