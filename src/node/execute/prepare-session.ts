import { AppError } from "../../lib/errors.ts";
import type { Executor } from "./executor.ts";
import { composeSessionOrder } from "./session-order.ts";

export const prepareSession: Executor<"prepare-session"> = async (
  deps,
  { desktop, signal },
  { sessionId, timeoutMs },
) => {
  const { session, vmId } = desktop;
  if (session?.id !== sessionId)
    throw new AppError("superseded", `preparing session ${sessionId}: a newer one has taken its place`);
  const order = await composeSessionOrder(deps, desktop, session);
  // The machine's own screen is there already; the console door asks again who may.
  if (order === undefined) return;
  if (!desktop.osf.hasAgent)
    throw new AppError(
      "guest-failed",
      `preparing session ${sessionId}: there is no agent of QVD's in this machine, so it can be seen on its console only`,
    );
  const prepared = deps.channels.prepareSession(vmId, order, timeoutMs);
  await untilAborted(prepared, signal, `preparing session ${sessionId}`);
};

/** The guest can't be called back; whatever it still does, the next order or its end takes care of. */
async function untilAborted(work: Promise<void>, signal: AbortSignal, doing: string): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new AppError("superseded", `${doing}: called off`));
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    // Whichever lost the race must not end the process when it fails later.
    work.catch(() => {});
    aborted.promise.catch(() => {});
  }
}
