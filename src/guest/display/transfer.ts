/**
 * The channels `upload` and `download` (`wire/display/transfer.ts`): files in the person's folder `Downloads`. Everything
 * that touches the folder is a child with the person's uid, so links and rights count as for them.
 */

import {
  formatTransferReport,
  MOST_FILES,
  parseTransferWish,
  type TransferReport,
} from "../../wire/display/transfer.ts";
import type { LaunchInput } from "../session/launch.ts";
import type { ChannelOwner, DoorSocket } from "./door.ts";
import { endInput, feedChild } from "./feed-child.ts";
import { asUser, environmentOf } from "./programs.ts";

const IN_FOLDER = 'umask 077; mkdir -p "$HOME/Downloads" && cd "$HOME/Downloads" || exit 4\n';
/** $1 is the name, $2 how many bytes; says under which name it lies there. What is cut off leaves nothing. */
const TAKE = `${IN_FOLDER}part=$(mktemp .part.XXXXXXXX) || exit 4
trap 'rm -f -- "$part"' EXIT
cat > "$part" || exit 5
[ "$(stat -c %s -- "$part")" = "$2" ] || exit 3
name=$1; count=1
while [ -e "$name" ] || [ -L "$name" ]; do count=$((count + 1)); name="($count) $1"; done
mv -n -- "$part" "$name" && printf %s "$name"`;
/** $1 is the name; says its size in a line, then gives its bytes. */
const GIVE = `${IN_FOLDER}[ -f "$1" ] && [ -r "$1" ] && stat -Lc %s -- "$1" && exec cat -- "$1"`;
const LIST = `${IN_FOLDER}find . -maxdepth 1 -type f -not -name '.*' -printf '%s\\t%f\\0' | head -zn ${MOST_FILES}`;

const LF = 10;

/** A text is why not. */
export function takeFile(socket: DoorSocket, user: LaunchInput, argument: string): ChannelOwner | string {
  const wish = parseTransferWish(argument);
  if (wish?.name === undefined) return "this is no file";
  const { name, bytes } = wish;
  const child = Bun.spawn(commandOf(user, [TAKE, name, `${bytes}`]), { ...placeOf(user), stdin: "pipe" });
  child.unref();
  let left = bytes;
  const finish = () => endInput(child.stdin);
  if (left === 0) finish();
  void reportTaken(child, bytes).then((report) => {
    socket.write(formatTransferReport(report));
    socket.end();
  });
  return {
    data: (chunk) => {
      const mine = chunk.subarray(0, left);
      left -= mine.length;
      const taken = feedChild(child.stdin, mine.slice());
      if (taken !== undefined) {
        socket.pause();
        void taken.then(() => socket.resume());
      }
      if (left === 0) finish();
    },
    // Cut off before its end: what came is not the file.
    close: () => finish(),
  };
}

async function reportTaken(
  child: { readonly stdout: ReadableStream<Uint8Array>; readonly exited: Promise<number> },
  bytes: number,
): Promise<TransferReport> {
  const name = await new Response(child.stdout).text();
  if ((await child.exited) === 0) return { isGood: true, name, bytes, files: [] };
  return { isGood: false, text: "The file could not be written in the desktop; is its disk full?" };
}

/** Of a file, or of the folder when no name is given. A text is why not. */
export function giveFile(socket: DoorSocket, user: LaunchInput, argument: string): ChannelOwner | string {
  const wish = parseTransferWish(argument);
  if (wish === undefined) return "this is no file";
  const words = wish.name === undefined ? [LIST] : [GIVE, wish.name];
  const child = Bun.spawn(commandOf(user, words), { ...placeOf(user), stdin: "ignore" });
  child.unref();
  const sender = new Sender(socket);
  const work =
    wish.name === undefined ? giveList(child.stdout, sender) : giveBytes(child.stdout, sender, wish.name);
  const end = () => void socket.end();
  // The broker left in between, which is its own affair.
  void work.then(end, end);
  return {
    data: () => {},
    drain: () => sender.drain(),
    close: () => {
      sender.close();
      child.kill("SIGKILL");
    },
  };
}

type Output = ReadableStream<Uint8Array>;

async function giveList(output: Output, sender: Sender): Promise<void> {
  const text = await new Response(output).text();
  const files = text.split("\0").flatMap((line) => {
    const at = line.indexOf("\t");
    return at === -1 ? [] : [{ name: line.slice(at + 1), bytes: Number(line.slice(0, at)) }];
  });
  await sender.send(Buffer.from(formatTransferReport({ isGood: true, name: "", bytes: 0, files })));
}

async function giveBytes(output: Output, sender: Sender, name: string): Promise<void> {
  let head = "";
  let isGiving = false;
  for await (const chunk of output) {
    if (isGiving) {
      await sender.send(chunk);
      continue;
    }
    const end = chunk.indexOf(LF);
    head += Buffer.from(end === -1 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (end === -1) continue;
    isGiving = true;
    const report = { isGood: true, name, bytes: Number(head), files: [] } as const;
    await sender.send(Buffer.from(formatTransferReport(report)));
    await sender.send(chunk.subarray(end + 1));
  }
  if (!isGiving)
    await sender.send(Buffer.from(formatTransferReport({ isGood: false, text: "There is no such file." })));
}

/** Sends at the peer's pace. */
class Sender {
  readonly #socket: DoorSocket;
  #room = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(socket: DoorSocket) {
    this.#socket = socket;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let left = bytes; left.length > 0; ) {
      if (this.#isClosed) throw new Error("the broker left");
      this.#room = Promise.withResolvers();
      left = left.subarray(Math.max(0, this.#socket.write(left)));
      if (left.length > 0) await this.#room.promise;
    }
  }

  drain(): void {
    this.#room.resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.#room.resolve();
  }
}

function commandOf(user: LaunchInput, [script = "", ...words]: readonly string[]): string[] {
  return [...asUser(user), "sh", "-c", script, "sh", ...words];
}

function placeOf(user: LaunchInput) {
  return { cwd: "/", env: environmentOf(user), stdout: "pipe", stderr: "ignore" } as const;
}
