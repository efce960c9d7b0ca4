/**
 * Passwords never stand on a command line, where every account can read them. They are prompted for on a
 * terminal, read from stdin's first line where there is none, or made up and printed once.
 */

import { AppError } from "../../lib/errors.ts";
import type { CommandIo, OptionSpec } from "../command.ts";

export const GENERATE_OPTION = {
  generate: { type: "flag", doc: "Make a password up and print it once." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

const MOST_BYTES = 4096;

/** The password for `login`, typed twice on a terminal. */
export async function chooseNewPassword(io: CommandIo, login: string, isGenerated: boolean): Promise<string> {
  if (isGenerated) return generatePassword();
  const first = await readPassword(io, `New password for ${login}: `);
  if (!io.isTerminal) return first;
  if ((await readPassword(io, "Once more: ")) !== first) {
    throw new AppError("bad-input", "the two passwords differ; nothing was changed");
  }
  return first;
}

/** One line, without its end. Not echoed on a terminal. */
export async function readPassword(io: CommandIo, prompt: string): Promise<string> {
  if (io.isTerminal) io.err(prompt);
  const line = io.isTerminal ? await readHidden(io) : await readFirstLine();
  if (line === "") throw new AppError("bad-input", "nothing was given: type it, or send it on stdin");
  return line;
}

/** 20 characters of 31 that can't be mistaken for each other: 99 bits. */
function generatePassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz2345678";
  const chosen: string[] = [];
  while (chosen.length < 20) {
    // Bytes over the last whole multiple are dropped, so that all letters are as likely.
    const byte = crypto.getRandomValues(new Uint8Array(1))[0] ?? 255;
    if (byte < 248) chosen.push(letters[byte % 31] ?? "");
  }
  return chosen.join("").replace(/(.{5})(?=.)/g, "$1-");
}

async function readFirstLine(): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Bun.stdin.stream()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES || chunk.includes(10)) break;
  }
  return (Buffer.concat(chunks).toString("utf8").split("\n")[0] ?? "").replace(/\r$/, "");
}

async function readHidden(io: CommandIo): Promise<string> {
  process.stdin.setRawMode(true);
  process.stdin.resume();
  try {
    return await typed(io.signal);
  } finally {
    process.stdin.setRawMode(false);
    process.stdin.pause();
    io.err("\n");
  }
}

/** Reads keys until Enter. In raw mode Ctrl-C and backspace are ours to obey. */
function typed(signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const stop = (settle: () => void) => {
      process.stdin.off("data", onData);
      settle();
    };
    const onData = (data: Buffer) => {
      for (const key of data.toString("utf8")) {
        if (key === "\r" || key === "\n") return stop(() => resolve(text));
        if (key === "\u0003" || key === "\u0004")
          return stop(() => reject(new AppError("bad-input", "given up")));
        text = key === "\u007f" || key === "\b" ? text.slice(0, -1) : text + key;
      }
    };
    signal.addEventListener("abort", () => stop(() => reject(new AppError("bad-input", "given up"))), {
      once: true,
    });
    process.stdin.on("data", onData);
  });
}
