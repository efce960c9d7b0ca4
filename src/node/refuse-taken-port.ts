/**
 * Brokers share their port by SO_REUSEPORT, and the kernel lets every process of their account join in: a second
 * box on the same port would get half of the first one's clients without a word. So the port is tried without
 * that option before the first broker starts.
 */

import { AppError } from "../lib/errors.ts";
import { isProcessRunning } from "../lib/process.ts";
import type { WorkerEntry } from "./process-file.ts";

export type SharedPort = {
  readonly address: string;
  readonly port: number;
  /** Whether a worker of that name listens there. */
  readonly isOf: (workerName: string) => boolean;
};

/** Throws `conflict` when others listen there; `found` are the workers of an earlier node process of this box. */
export function refuseTakenPort(shared: SharedPort, found: readonly WorkerEntry[]): void {
  if (found.some((worker) => shared.isOf(worker.name) && isProcessRunning(worker))) return;
  const { address, port } = shared;
  try {
    Bun.listen({ hostname: address, port, socket: { data: () => {} } }).stop(true);
  } catch (cause) {
    throw new AppError(
      "conflict",
      `starting the brokers: port ${port} of ${address} is taken or can't be had. \`ss -ltnp\` shows by whom; QVD_BROKER_PORT and QVD_BROKER_ADDRESS choose another`,
      { cause },
    );
  }
}
