/**
 * What a broker worker says of itself to its box: one small file a process, in a folder that the brokers' account may
 * write. The node reads it to know when a successor listens and how far a drain is. Unprivileged processes write it,
 * so its reader follows no link, waits for nothing, and takes nothing that isn't of this shape and size.
 */

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { z } from "zod";

export const BrokerState = z.object({
  /**
   * `leaving`: takes clients, and tells balancers not to send any more. `draining`: takes none, and its
   * sessions go on until the deadline.
   */
  phase: z.enum(["listening", "leaving", "draining"]),
  /** Connections, sessions included. */
  open: z.int().min(0),
  sessions: z.int().min(0),
  /** Connections over what their addresses may hold, since it began. Earlier versions don't say. */
  turnedAway: z.int().min(0).optional(),
  /** Milliseconds since 1970. */
  deadlineAtMs: z.number().nullable(),
  certificateEndsAtMs: z.number().nullable(),
  /** Why what lies in the files of its TLS isn't in use. */
  tlsFault: z.string().max(1_000).nullable(),
});
export type BrokerState = z.infer<typeof BrokerState>;

const MOST_BYTES = 4_096;

export function brokerStateFile(folder: string, pid: number): string {
  return `${folder}/${pid}.json`;
}

export function writeBrokerState(path: string, state: BrokerState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

/** Undefined when there is none that can be trusted to be one. */
export function readBrokerState(path: string): BrokerState | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // Not yet written, or gone with its process.
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile() || size > MOST_BYTES) return undefined;
    return BrokerState.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    // Whatever it is, it is no state.
    return undefined;
  } finally {
    closeSync(file);
  }
}

export function removeBrokerState(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It never came to write one, or took it away itself.
  }
}
