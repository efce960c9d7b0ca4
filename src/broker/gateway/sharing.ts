/** What the owner of a session says about who else sees it: invites, lets in, sends away. Their page is shown all of them. */

import type { SessionId, VmId } from "../../domain/ids.ts";
import { describeError, isAppError } from "../../lib/errors.ts";
import type { EndpointDeps } from "../request.ts";
import type { Asker } from "../store.ts";
import type { SharingOrder, ToPage } from "./page-message.ts";
import type { VisitStore } from "./visit-store.ts";
import type { VisitWatch } from "./visit-watch.ts";

export type SharingDeps = {
  readonly visits: VisitStore;
  readonly visitWatch: VisitWatch;
  readonly wake: EndpointDeps["wake"];
};

export type SharedSession = { readonly id: SessionId; readonly vmId: VmId; readonly asker: Asker };

/** One after the other; a page that says more meanwhile is no person's. */
const MOST_WAITING = 4;

export class Sharing {
  readonly #deps: SharingDeps;
  readonly #session: SharedSession;
  readonly #tell: (message: ToPage) => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(deps: SharingDeps, session: SharedSession, tell: (message: ToPage) => void) {
    this.#deps = deps;
    this.#session = session;
    this.#tell = tell;
    deps.visitWatch.add(session.id, (visits) => tell({ type: "visits", visits }));
    void deps.visitWatch.look();
  }

  obey(order: SharingOrder): void {
    if (this.#waiting >= MOST_WAITING) return;
    this.#waiting++;
    this.#last = this.#last.then(async () => {
      await this.#execute(order).catch((error: unknown) => {
        const text = isAppError(error) ? describeError(error) : "Something broke on our side.";
        this.#tell({ type: "not-done", text });
      });
      this.#waiting--;
    });
  }

  close(): void {
    this.#deps.visitWatch.remove(this.#session.id);
  }

  async #execute(order: SharingOrder): Promise<void> {
    const { visits, visitWatch, wake } = this.#deps;
    const { asker, vmId } = this.#session;
    if (order.type === "invite") {
      const ticket = await visits.invite(asker, { vmId, mayControl: order.mayControl });
      this.#tell({ type: "invitation", path: `/invitation/${ticket}` });
    } else if (order.type === "admit-visit") await visits.admit(asker, order.id);
    else await visits.end(order.id, await this.#endOf(order.id), asker);
    wake(vmId);
    await visitWatch.look();
  }

  async #endOf(id: Parameters<VisitStore["read"]>[0]): Promise<"refused" | "sent-away"> {
    return (await this.#deps.visits.read(id))?.isAdmitted === true ? "sent-away" : "refused";
  }
}
