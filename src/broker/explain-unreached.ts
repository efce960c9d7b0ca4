import type { VmId } from "../domain/ids.ts";
import { AppError, isAppError } from "../lib/errors.ts";
import type { BrokerStore } from "./store.ts";

/** By the fault of the desktop, as its node reported it; what is known besides is the administrators' to read. */
const REASONS: Readonly<Record<string, string>> = {
  "agent-lost": "something inside the desktop no longer answers",
  "network-broken": "the desktop's network is broken",
};

/** A person whose session can't be reached is told why, where the desktop's node knows it. Returns what to throw. */
export async function explainUnreached(
  store: Pick<BrokerStore, "readDesktop">,
  vmId: VmId,
  error: unknown,
): Promise<unknown> {
  if (!isAppError(error) || error.code !== "unavailable") return error;
  let fault: string | undefined;
  try {
    fault = (await store.readDesktop(vmId))?.fault;
  } catch {
    // The database is away: the first reason is what can be said.
    return error;
  }
  const reason = fault === undefined ? undefined : REASONS[fault];
  if (reason === undefined) return error;
  return new AppError("unavailable", `${error.message}: ${reason}; an administrator sees more`, {
    cause: error,
  });
}
