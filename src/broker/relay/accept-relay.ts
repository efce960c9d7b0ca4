/** The far end of a relay: joins the other broker's socket with a desktop of this box. That broker keeps the record. */

import type { SessionId, VmId } from "../../domain/ids.ts";
import { connectDesktop, type DesktopAddress } from "../connect-desktop.ts";
import { type PipeContext, SessionPipe } from "../session-pipe.ts";
import { tuneSocket } from "../socket.ts";
import type { HandedOver } from "../upgrade.ts";
import type { Relays } from "./relays.ts";

export type Relay = DesktopAddress & { readonly sessionId: SessionId; readonly vmId: VmId };

const SWITCHING = Buffer.from(
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: QVD-Relay/1\r\n\r\n",
);

/** Resolves when the pipe runs; throws an AppError when the desktop can't be reached. */
export function acceptRelay(
  deps: { readonly pipes: PipeContext; readonly relays: Relays; readonly timeoutMs: number },
  relay: Relay,
  handOver: () => HandedOver | undefined,
): Promise<void> {
  return connectDesktop(relay, {
    timeoutMs: deps.timeoutMs,
    take: (desktop) => {
      const broker = handOver();
      if (broker === undefined) return false;
      tuneSocket(desktop);
      const { sessionId: id, vmId } = relay;
      const pipe = new SessionPipe(deps.pipes, { id, vmId, client: broker.socket, desktop });
      deps.relays.begin(id);
      pipe.begin([...broker.unsent, SWITCHING], broker.early);
      return true;
    },
  });
}
