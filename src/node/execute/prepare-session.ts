import { attemptDatabase } from "../../db/errors.ts";
import { readSessionParts } from "../../db/queries/session-parts.ts";
import { composeClientParameters } from "../../domain/session/client-parameters.ts";
import { accountUid } from "../../domain/vm/account.ts";
import { AppError } from "../../lib/errors.ts";
import type { Executor } from "./executor.ts";

export const prepareSession: Executor<"prepare-session"> = async (
  deps,
  { desktop, signal },
  { sessionId, timeoutMs },
) => {
  const { session, user } = desktop;
  if (session?.id !== sessionId)
    throw new AppError("superseded", `preparing session ${sessionId}: a newer one has taken its place`);
  const { vmId } = desktop;
  const parts = await attemptDatabase(`read what session ${sessionId} is made of`, () =>
    readSessionParts(deps.db, { vmId, sessionId }),
  );
  const { access } = parts;
  // The machine's own screen is there already; the console door asks again who may.
  if (access === "console") return;
  if (!desktop.osf.hasAgent)
    throw new AppError(
      "guest-failed",
      `preparing session ${sessionId}: there is no agent of QVD's in this machine, so it can be seen on its console only`,
    );
  const prepared = deps.channels.prepareSession(
    vmId,
    {
      session: sessionId,
      account: { login: user.login, uid: accountUid(user.id), fullName: user.fullName },
      client: composeClientParameters({ client: session.client, ...parts }),
      accept: deps.settings.range.gateway,
      slaveKey: session.slaveKey,
      properties: parts.properties,
      parameters: parts.parameters,
      access,
      ...(parts.program === null ? {} : { program: parts.program }),
    },
    timeoutMs,
  );
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
