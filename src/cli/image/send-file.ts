/**
 * Sends a file to the server's incoming folder in parts: a connection that breaks costs one of them. Whoever
 * is cut off for good sends the file again; the server forgets the parts after a day.
 */

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { z } from "zod";
import { backoffMs } from "../../lib/backoff.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import type { Api } from "../api-client.ts";
import type { CommandIo } from "../command.ts";
import { createProgressLine } from "./progress-line.ts";

export type SentFile = { readonly fileName: string; readonly sha256: string };

const PART_BYTES = 32 * 2 ** 20;
const MOST_TRIES = 8;
const Received = z.object({ receivedBytes: z.number() });
const Whole = z.object({ fileName: z.string() });

/** Throws `bad-input` where there is nothing that could be sent. */
export async function requireFile(path: string): Promise<void> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new AppError("bad-input", `there is no file ${path}`, { field: "FILE" });
  if (file.size === 0) throw new AppError("bad-input", `${path} is empty`, { field: "FILE" });
}

export async function sendFile(io: CommandIo, api: Api, path: string): Promise<SentFile> {
  await requireFile(path);
  const file = Bun.file(path);
  const address = `/images/upload?name=${encodeURIComponent(basename(path))}&upload=${crypto.randomUUID().replaceAll("-", "")}`;
  const progress = createProgressLine(io, `sending ${path}`);
  const hash = createHash("sha256");
  let hashed = 0;
  let sent = 0;
  for (let failures = 0; ; ) {
    const end = Math.min(file.size, sent + PART_BYTES);
    // Read once for both; what was sent before was summed before.
    const part = file.slice(sent, end);
    if (end > hashed) {
      hash.update(new Uint8Array(await file.slice(hashed, end).arrayBuffer()));
      hashed = end;
    }
    try {
      const range = `bytes ${sent}-${end - 1}/${file.size}`;
      const answer = await api.sendPart(address, part, { range, signal: io.signal });
      failures = 0;
      progress.show(end, file.size);
      if (end === file.size) {
        progress.finish();
        return { fileName: Whole.parse(answer).fileName, sha256: hash.digest("hex") };
      }
      sent = Received.parse(answer).receivedBytes;
    } catch (error) {
      io.signal.throwIfAborted();
      failures += 1;
      if (!isAppError(error) || error.code !== "unavailable" || failures >= MOST_TRIES) throw error;
      await sleep(backoffMs(failures, { firstMs: 500, mostMs: 15_000 }), io.signal);
      sent = await askReceived(api, address, sent);
    }
  }
}

/** Where to go on; where we were while the server is still away. */
async function askReceived(api: Api, address: string, otherwise: number): Promise<number> {
  try {
    return Received.parse(await api.ask("GET", address)).receivedBytes;
  } catch (error) {
    if (isAppError(error) && error.code === "unavailable") return otherwise;
    throw error;
  }
}
