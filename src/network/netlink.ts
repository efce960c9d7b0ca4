/**
 * Asks the kernel's network parts without a program: `ip` and `nft` cost a start two and seven milliseconds of a processor,
 * the same said here a tenth of one. What is said is put down in a thread, since the kernel makes it wait where
 * somebody else changes its network; what it answers is there by then. One talk at a time. Needs root.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { close as closeBeside, write } from "node:fs";
import { getSystemErrorMap } from "node:util";
import { AppError } from "../lib/errors.ts";
import {
  FLAG_DUMP,
  type NetlinkAnswer,
  type NetlinkRequest,
  parseAnswers,
  renderRequest,
} from "./netlink-message.ts";

/** Which part of the kernel's listens. */
export type NetlinkFamily = "route" | "filter";

/** `doing` is for whoever reads that it failed. */
export type Talk = { readonly doing: string; readonly requests: readonly NetlinkRequest[] };

export type TalkResult = {
  readonly answers: readonly NetlinkAnswer[];
  /** By the kernel's number, one for each request that it refused. */
  readonly errors: readonly number[];
  /** Requests that asked to be told, and were done. */
  readonly acknowledged: number;
  /** What was listed changed meanwhile: some of it may be missing. Not all of the kernel's parts say so. */
  readonly isTorn: boolean;
  /** A list came to its end. */
  readonly isDone: boolean;
};

const PROTOCOLS = { route: 0, filter: 12 } as const satisfies Record<NetlinkFamily, number>;
const AF_NETLINK = 16;
// SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
const KIND = 3 | 0x800 | 0x80000;
const ERROR = 2;
const DONE = 3;
const FLAG_DUMP_TORN = 0x10;
/** The kernel fills at most 32 kB at a time. */
const RECEIVED_BYTES = 65_536;
const MOST_RECEIPTS = 4_096;
const DEADLINE_MS = 10_000;

type Libc = ReturnType<typeof openLibrary>;

export class Netlink {
  readonly #family: NetlinkFamily;
  #libc: Libc | undefined;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(family: NetlinkFamily) {
    this.#family = family;
  }

  /** `driver-failed` where the kernel doesn't take or answer it; what it refuses is told by `errors`. */
  talk(talk: Talk): Promise<TalkResult> {
    const turn = this.#last.then(() => this.#talk(talk));
    // Its own caller hears of it; the next one's turn comes all the same.
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #talk({ doing, requests }: Talk): Promise<TalkResult> {
    if (requests.length === 0)
      return { answers: [], errors: [], acknowledged: 0, isTorn: false, isDone: false };
    this.#libc ??= openLibrary();
    const libc = this.#libc;
    const descriptor = libc.symbols.socket(AF_NETLINK, KIND, PROTOCOLS[this.#family]);
    if (descriptor < 0) throw failed(doing, "the kernel gives no socket for it");
    try {
      const first = this.#sequence + 1;
      const bytes = Buffer.concat(requests.map((request) => renderRequest(request, ++this.#sequence)));
      await put(descriptor, bytes, doing);
      const result = sumUp(this.#receive(libc, descriptor, first));
      const isList = requests.some(({ flags }) => (flags & FLAG_DUMP) === FLAG_DUMP);
      if (isList && !result.isDone && result.errors.length === 0)
        throw failed(doing, "the kernel's list ends too early");
      return result;
    } finally {
      closeBeside(descriptor, () => {});
    }
  }

  /** All of it is there but what the kernel makes while it is read; what it could not keep is missing. */
  #receive(libc: Libc, descriptor: number, first: number): readonly NetlinkAnswer[] {
    const buffer = new Uint8Array(RECEIVED_BYTES);
    const answers: NetlinkAnswer[] = [];
    for (let receipts = 0; receipts < MOST_RECEIPTS; receipts++) {
      const size = libc.symbols.recv(descriptor, ptr(buffer), BigInt(RECEIVED_BYTES), 0);
      if (size <= 0) break;
      answers.push(...parseAnswers(buffer.subarray(0, size)).filter(({ sequence }) => sequence >= first));
    }
    return answers;
  }
}

/** Pure: what the kernel has said, of everything that was asked. */
export function sumUp(received: readonly NetlinkAnswer[]): TalkResult {
  const answers: NetlinkAnswer[] = [];
  const errors: number[] = [];
  let acknowledged = 0;
  for (const answer of received) {
    if (answer.type !== ERROR && answer.type !== DONE) answers.push(answer);
    // A list that fails on its way says so at its end.
    else if (errorOf(answer) !== 0) errors.push(errorOf(answer));
    else if (answer.type === ERROR) acknowledged++;
  }
  const isTorn = received.some(({ flags }) => (flags & FLAG_DUMP_TORN) !== 0);
  return { answers, errors, acknowledged, isTorn, isDone: received.some(({ type }) => type === DONE) };
}

function openLibrary() {
  const { i32, u64, pointer } = FFIType;
  return dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    recv: { args: [i32, pointer, u64, i32], returns: i32 },
  });
}

/** Its thread stays where the kernel never lets go of it; whoever waits doesn't. */
function put(descriptor: number, bytes: Uint8Array, doing: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failed(doing, "the kernel doesn't answer")), DEADLINE_MS);
    write(descriptor, bytes, (cause) => {
      clearTimeout(timer);
      if (cause === null) resolve();
      else reject(failed(doing, cause.message));
    });
  });
}

function errorOf({ body }: NetlinkAnswer): number {
  if (body.length < 4) return 0;
  return -new DataView(body.buffer, body.byteOffset, body.byteLength).getInt32(0, true);
}

function failed(doing: string, why: string): AppError {
  return new AppError("driver-failed", `${doing}: ${why}`);
}

/** Fails where the kernel refused anything, but for errors that the caller expects. */
export function refuseErrors(doing: string, { errors }: TalkResult, expected: readonly number[] = []): void {
  const error = errors.find((one) => !expected.includes(one));
  if (error === undefined) return;
  const [name, text] = getSystemErrorMap().get(-error) ?? ["", ""];
  throw failed(doing, `the kernel refuses: ${name} ${text} (error ${error})`);
}
