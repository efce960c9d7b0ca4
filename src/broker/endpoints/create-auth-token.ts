import { parseId, type VmId } from "../../domain/ids.ts";
import type { Answer } from "../../wire/client/answer.ts";
import { formatJson } from "../../wire/client/json.ts";
import type { Identity } from "../authenticate.ts";
import { NO_SUCH_VM, VM_NOT_ALLOWED } from "../read-vm-id.ts";
import { type BrokerRequest, type Endpoint, reply, type TokenWish } from "../request.ts";
import type { BrokerStore } from "../store.ts";

/**
 * A bearer token for whoever proved themselves: of many uses, as long as their tenant's setting lets one live. On
 * the wire tokens are base64, here with the newline that the original's encoder left. `vm_id` makes one that opens
 * this desktop alone, `multi_use=0` one for one connection. A token makes no token: it would live for ever by its heirs.
 */
export const createAuthToken: Endpoint = async ({ store, tokens }, request) => {
  const identity = await request.authenticate();
  if ("status" in identity) return reply(identity);
  if (identity.isByToken) return reply({ status: 403, body: "A token can't be made by a token" });
  const wish = await readWish(store, request, identity);
  if ("status" in wish) return reply(wish);
  const made = await tokens.createToken(wish, request.signal);
  if ("status" in made) return reply(made);
  const body = formatJson({
    auth_token: `${Buffer.from(made.token).toString("base64")}\n`,
    auth_params_id: made.tokenId,
  });
  return reply({ status: 200, type: "application/json", body });
};

async function readWish(
  store: BrokerStore,
  { head, clientAddress: origin }: BrokerRequest,
  { actor, parameters }: Identity,
): Promise<TokenWish | Answer> {
  const { userId } = actor;
  const uses = head.query.get("multi_use") ?? "1";
  if (uses !== "0" && uses !== "1") return { status: 422, body: "parameter multi_use is neither 0 nor 1" };
  const wish = { userId, isMultiUse: uses === "1", parameters, origin };
  const text = head.query.get("vm_id");
  if (text === undefined || text === "") return { ...wish, vmId: undefined };
  const vmId = parseId<VmId>(text);
  if (vmId === undefined)
    return { status: 422, body: "parameter vm_id is not the number of a virtual machine" };
  const desktop = await store.readDesktop(vmId);
  if (desktop === undefined) return NO_SUCH_VM;
  return desktop.userId === userId ? { ...wish, vmId } : { status: 403, body: VM_NOT_ALLOWED };
}
