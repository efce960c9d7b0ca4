/**
 * Sound of a desktop that is shown in a page: a WebSocket for what is heard, one for the microphone, each joined with a
 * channel of the session in which its owner sits there now. They end with that session, and it doesn't end with them.
 */

import { describeError, isAppError } from "../../../lib/errors.ts";
import type { GatewayDeps } from "../deps.ts";
import { openChannel } from "../open-channel.ts";
import type { AdmittedSocket, PageSocket, PageSocketOwner } from "../page-socket.ts";
import { SoundEnd } from "./sound-end.ts";

const OPEN_MS = 5_000;
/** A name of a codec or two, or a number of samples. */
const MOST_ARGUMENT = 32;

export function beginSound(deps: GatewayDeps, page: PageSocket, admitted: AdmittedSocket): PageSocketOwner {
  const end = new SoundEnd(page);
  void open(deps, admitted, end).catch((error: unknown) => {
    if (!isAppError(error)) deps.log.error("sound-failed", { vmId: admitted.vmId, error });
    end.refuse(isAppError(error) ? describeError(error) : "Something broke on our side.");
  });
  return end;
}

async function open(deps: GatewayDeps, admitted: AdmittedSocket, end: SoundEnd): Promise<void> {
  const { person, vmId, query } = admitted;
  const session = await deps.web.findScreen(person.actor.userId, vmId);
  if (session === undefined) return end.refuse("The desktop is not shown to you now.");
  await openChannel(deps, session, {
    channel: admitted.kind === "sound" ? "sound" : "microphone",
    argument: (query.get("as") ?? "").slice(0, MOST_ARGUMENT),
    timeoutMs: OPEN_MS,
    own: (socket) => end.own(socket),
  });
}
