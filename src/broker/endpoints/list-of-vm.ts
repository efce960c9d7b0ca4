import { clientState } from "../../domain/vm/state.ts";
import { formatJson } from "../../wire/client/json.ts";
import { checkBlocked, checkState, NOT_REGISTERED } from "../check-node.ts";
import { checkBound } from "../read-vm-id.ts";
import { type Endpoint, reply } from "../request.ts";

/** The desktops of whoever asks, blocked ones included. */
export const listOfVm: Endpoint = listOf({ isApplication: false });

/** The same of those that their OSF offers as applications. */
export const listOfApplications: Endpoint = listOf({ isApplication: true });

/** `id` and `blocked` must be integers: the C client crashes on anything else. */
function listOf({ isApplication }: { readonly isApplication: boolean }): Endpoint {
  return async ({ store }, request) => {
    const node = await store.readNode();
    if (node === undefined) return reply(NOT_REGISTERED);
    const identity = await request.authenticate();
    if ("status" in identity) return reply(identity);
    const refusal = checkBlocked(node) ?? checkState(node);
    if (refusal !== undefined) return reply(refusal);
    const desktops = await store.listDesktops(identity.actor.userId);
    const list = desktops
      .filter((desktop) => desktop.isApplication === isApplication)
      .filter(({ id }) => checkBound(identity, id) === undefined)
      .map((desktop) => ({
        id: desktop.id,
        name: desktop.name,
        state: clientState(desktop.state),
        blocked: desktop.isBlocked ? 1 : 0,
        is_application: isApplication ? 1 : 0,
      }));
    return reply({ status: 200, type: "application/json", body: formatJson(list) });
  };
}
