/**
 * Shares one folder over the session's slave channel: a request with the session's key, and after the 101 the
 * connection is an sftp-server's (chapter 4.9 of QVD 4's protocol). The share lasts as long as the connection.
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { AppError } from "../../lib/errors.ts";
import { sleep, waitFor } from "../../lib/wait.ts";
import { plainText } from "../plain-text.ts";
import { buildJail, type Share } from "./share-jail.ts";

export type ShareOptions = {
  readonly share: Share;
  /** Where nxproxy listens for the slave channel. */
  readonly socketPath: string;
  readonly slaveKey: string;
  /** This user's alone. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

/** nxproxy listens once it has agreed with the desktop's nxagent, which may be starting. */
const LISTEN_MS = 60_000;
const ANSWER_MS = 20_000;
const END_MS = 3_000;
const MOST_HEAD_BYTES = 16 * 1024;
/** A share of the session before goes when the desktop notices that its client is gone. */
const TAKEN_TRIES = 5;
const TAKEN_WAIT_MS = 1_000;

/**
 * Returns the name that the folder has in the desktop, below ~/Redirected, when it is there. It goes when `signal` aborts, or with
 * the view. Throws `unavailable` when the desktop takes no folders.
 */
export async function shareFolder(options: ShareOptions): Promise<string> {
  const { socketPath, signal, share } = options;
  const isListening = () => signal.aborted || existsSync(socketPath);
  if (!(await waitFor(isListening, { timeoutMs: LISTEN_MS, everyMs: 50 })))
    throw failed(share, "nxproxy opened no channel for it");
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    const { answer, socket, early } = await request(options);
    if (answer.status === 101) {
      await serve({ ...options, socket, early });
      return answer.name ?? share.path;
    }
    await ended(socket);
    if (answer.status !== 409 || tries === TAKEN_TRIES) throw failed(share, answer.text);
    await sleep(TAKEN_WAIT_MS, signal);
  }
}

type Answered = {
  readonly answer: { readonly status: number; readonly name?: string | undefined; readonly text: string };
  readonly socket: Socket;
  /** What came after the head: the desktop speaks at once. */
  readonly early: Buffer;
};

function request({ share, socketPath, slaveKey, signal }: ShareOptions): Promise<Answered> {
  const socket = connect(socketPath);
  const path = share.path.split("/").map(encodeURIComponent).join("/");
  const lines = [
    `PUT /shares${path} HTTP/1.1`,
    `Authorization: Basic ${slaveKey}`,
    "Connection: Upgrade",
    "Upgrade: qvd:sftp/1.0",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  let held = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      settle();
      socket.destroy();
      reject(failed(share, why));
    };
    const onEnd = () => fail("the desktop takes none");
    const onAbort = () => fail("the session is over");
    const timer = setTimeout(() => fail("the desktop did not answer"), ANSWER_MS);
    const onData = (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      const parsed = parseAnswer(held);
      if (parsed === undefined) {
        if (held.length > MOST_HEAD_BYTES) fail("the desktop's answer has no end");
        return;
      }
      settle();
      socket.pause();
      resolve({ answer: parsed.answer, socket, early: held.subarray(parsed.size) });
    };
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("data", onData).off("close", onEnd);
    };
    socket.on("error", () => {}); // Its close follows, and is what is looked at.
    socket.on("data", onData).on("close", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Undefined until it is whole: of a 101 the head, of a refusal its text, too. */
function parseAnswer(
  held: Buffer,
): { readonly answer: Answered["answer"]; readonly size: number } | undefined {
  const end = held.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = held.toString("utf8", 0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
  const size = end + 4;
  const name = /^x-qvd-share-ticket: *(.+)$/im.exec(head)?.[1];
  if (status === 101) return { answer: { status, name: name && plainText(name), text: "" }, size };
  const length = Number(/^content-length: *(\d{1,5})$/im.exec(head)?.[1] ?? 0);
  if (held.length < size + length && held.length < MOST_HEAD_BYTES) return undefined;
  const text = plainText(held.toString("utf8", size, size + length)).trim();
  return { answer: { status, text: text || `the desktop answered ${status}` }, size };
}

/**
 * The desktop ends what it refuses, and is waited for: nxproxy gives the number of a connection that ends on this side to the
 * next one at once, and nxagent refuses that while it has the first still.
 */
async function ended(socket: Socket): Promise<void> {
  const isOver = new Promise<void>((resolve) => {
    socket.once("close", () => resolve()).resume();
  });
  await Promise.race([isOver, sleep(END_MS)]);
  socket.destroy();
}

async function serve(at: ShareOptions & { readonly socket: Socket; readonly early: Buffer }): Promise<void> {
  const { share, folder, socket, early, signal } = at;
  const [program = "", ...words] = await buildJail(share, folder);
  const server = spawn(program, words, { stdio: ["pipe", "pipe", "ignore"] });
  const end = () => {
    signal.removeEventListener("abort", end);
    socket.destroy();
    server.kill("SIGKILL");
  };
  signal.addEventListener("abort", end, { once: true });
  socket.on("close", end);
  server.on("error", end).on("exit", end);
  server.stdin.on("error", end);
  server.stdin.write(early);
  socket.pipe(server.stdin);
  server.stdout.pipe(socket);
}

function failed({ path }: Share, why: string): AppError {
  return new AppError("unavailable", `${path} could not be shared: ${why}`);
}
